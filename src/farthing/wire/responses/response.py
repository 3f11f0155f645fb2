"""Responses answers: usage, whole and streamed, and errors."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from farthing.errors import FarthingError
from farthing.wire.canon import StopKind
from farthing.wire.chat.request import PLAIN_TIERS
from farthing.wire.chat.response import error as chat_error
from farthing.wire.dialect import Answer, Ask, Tap, Usage
from farthing.wire.responses.usage import read_usage
from farthing.wire.stated import stated_usd
from farthing.wire.tap import TailTap

# The first event repeats the request, but names itself and the model before the longest of it.
HEAD = 16 * 1024

# Why an answer is incomplete.
REASONS: dict[str, StopKind] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "filter",
}
RUNNING = ("queued", "in_progress")

# In a JSON text a name is followed by its closing quote; inside a string that would be escaped.
_ids = re.compile(rb'"id"\s*:\s*"([^"\\]*)"').search
_models = re.compile(rb'"model"\s*:\s*"([^"\\]*)"').search
_tiers = re.compile(rb'"service_tier"\s*:\s*"([^"\\]*)"').findall
_cut = re.compile(rb'"incomplete_details"\s*:\s*\{\s*"reason"\s*:\s*"(\w+)"').search
_ENDS = {b'"response.completed"': "completed", b'"response.incomplete"': "incomplete",
         b'"response.failed"': "failed"}  # fmt: skip
EDGE = max(map(len, _ENDS))
_CALLS = (b'"function_call"', b'"custom_tool_call"')
_REFUSAL = b'"refusal"'
_refuses = re.compile(rb'"type"\s*:\s*"refusal"').search
_usages = re.compile(rb'"usage"\s*:\s*(?=\{)').finditer


class _Answer(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: dict[str, object] | None = None
    service_tier: str | None = None
    status: Any = None
    incomplete_details: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Answer).decode


def read_answer(body: bytes) -> Answer:
    """Read a whole answer."""
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    return Answer(
        usage=read_usage(answer.usage) if answer.usage else None,
        model=answer.model or "",
        id=answer.id or "",
        options=_options(answer.service_tier or ""),
        stated=stated_usd(body),
        finish=_finish(answer, body),
    )


def _finish(told: _Answer, said: bytes) -> str:
    """Return why an answer ended; what it `said` tells whether it called a tool."""
    details = told.incomplete_details
    if told.status in RUNNING:
        return ""
    if told.error is not None or told.status == "failed":
        return "error"
    if isinstance(details, dict) and isinstance(reason := details.get("reason"), str):
        return REASONS.get(reason, "other")
    if told.status not in ("completed", None):
        return "other"
    return _completed(said) if told.usage else ""


def _completed(said: bytes) -> str:
    if any(call in said for call in _CALLS):
        return "tool_calls"
    return "refusal" if _REFUSAL in said and _refuses(said) else "end"


def _options(tier: str) -> dict[str, str]:
    return {} if tier in PLAIN_TIERS else {"service_tier": tier}


class ResponsesTap(TailTap):
    """Reads the usage off the last event, which may be longer than any window: it repeats the
    whole answer, and the usage after it."""

    watches = True

    def __init__(self) -> None:
        super().__init__(head=HEAD)
        self._passed = self._edge = b""

    def begun(self) -> bool:
        """Whether the first bytes name the answer and the model."""
        head = self.first_bytes()
        return bool(_ids(head) and _models(head))

    def passed(self, data: bytes) -> None:
        """Keep where the last event begins: between there and its usage may be long tools."""
        if self._passed:
            if len(self._passed) < HEAD:
                self._passed += data
            return
        data = self._edge + data
        places = [place for end in _ENDS if (place := data.find(end)) >= 0]
        self._passed = data[min(places) :][:HEAD] if places else b""
        self._edge = data[-EDGE:]

    def answer(self) -> Answer:
        """Return what the first event and the end of the last one say."""
        head, tail = self.first_bytes(), self.last_bytes()
        tiers = _tiers(tail)
        identity, model = _ids(head), _models(head)
        return Answer(
            usage=_last_usage(tail),
            model=model[1].decode("utf-8", "replace") if model else "",
            id=identity[1].decode("utf-8", "replace") if identity else "",
            options=_options(tiers[-1].decode("utf-8", "replace") if tiers else ""),
            stated=stated_usd(tail),
            finish=_stream_finish(self._passed, tail),
        )


def _stream_finish(passed: bytes, tail: bytes) -> str:
    """Return why a stream's answer ended, as its last event says, which begins in one of them."""
    said = passed + tail if passed else tail
    how = next((told for end, told in _ENDS.items() if end in said), "")
    if how == "incomplete":
        cut = _cut(said)
        return REASONS.get(cut[1].decode(), "other") if cut else "other"
    if how == "completed":
        return _completed(said)
    return "error" if how else ""


def _last_usage(tail: bytes) -> Usage | None:
    places = list(_usages(tail))
    if not places:
        return None
    try:
        told, _ = json.JSONDecoder().raw_decode(tail[places[-1].end() :].decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return read_usage(told) if isinstance(told, dict) else None


def tap(_: Ask) -> Tap:
    """Return the tap for a query's stream."""
    return ResponsesTap()


error = chat_error


def fault(problem: FarthingError, request_id: str) -> bytes:
    """Render an error as an event of a stream that has begun."""
    shape = {"type": "error", "code": problem.code, "message": problem.message, "param": None}
    data = msgspec.json.encode({**shape, "sequence_number": 0, "request_id": request_id})
    return b"event: error\ndata: %s\n\n" % data
