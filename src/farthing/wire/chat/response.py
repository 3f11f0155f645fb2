"""Chat answers: usage, whole and streamed, and errors."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from farthing.errors import FarthingError, Malformed
from farthing.wire import sse
from farthing.wire.chat.request import PLAIN_TIERS
from farthing.wire.chat.stops import kind_of
from farthing.wire.chunks import NEAR
from farthing.wire.dialect import Answer, Ask, Tap, Usage
from farthing.wire.splice import first_byte
from farthing.wire.stated import stated_usd
from farthing.wire.tap import WINDOW, Hiding, TailTap, told_last

# One below zero is refused by the decoder: it would post a negative cost, and so raise a limit.
Count = Annotated[int, msgspec.Meta(ge=0)] | None


class _Input(msgspec.Struct):
    cached_tokens: Count = None
    cache_write_tokens: Count = None
    audio_tokens: Count = None


class _Output(msgspec.Struct):
    reasoning_tokens: Count = None
    audio_tokens: Count = None


class _Usage(msgspec.Struct):
    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None
    prompt_tokens_details: _Input | None = None
    completion_tokens_details: _Output | None = None
    prompt_cache_hit_tokens: Count = None
    cached_tokens: Count = None


class _Answer(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: _Usage | None = None
    service_tier: str | None = None
    choices: msgspec.Raw = msgspec.Raw()


class _Message(msgspec.Struct):
    refusal: str | None = None


class _Choice(msgspec.Struct):
    finish_reason: str | None = None
    message: _Message | None = None


class _Choices(msgspec.Struct):
    choices: list[msgspec.Raw] = []
    usage: msgspec.Raw = msgspec.Raw()


# To look through all of the window costs more than all else that is read of a stream.
REFUSED_NEAR = 2 * NEAR

_NO_INPUT, _NO_OUTPUT = _Input(), _Output()
_REFUSAL = b'"refusal"'
_refuses = re.compile(rb'"refusal"\s*:\s*"[^"]').search
_usage_object = re.compile(rb'"usage"\s*:\s*\{').search
_decode = msgspec.json.Decoder(_Answer).decode
_decode_finishes = msgspec.json.Decoder(list[_Choice]).decode
_decode_choices = msgspec.json.Decoder(_Choices).decode


def read_answer(body: bytes) -> Answer:
    """Read a whole answer, or the event of a stream that carries the usage."""
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    tier = answer.service_tier or ""
    return Answer(
        usage=_usage(answer.usage) if answer.usage else None,
        model=answer.model or "",
        id=answer.id or "",
        options={} if tier in PLAIN_TIERS else {"service_tier": tier},
        stated=stated_usd(body),
        finish=_whole_finish(answer.choices),
    )


def _whole_finish(told: msgspec.Raw) -> str:
    """Return why a whole answer ended, if it says so."""
    try:
        choices = _decode_finishes(told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""  # there are none, or none of this dialect's
    if len(choices) == 1:
        (one,) = choices
        refused = one.message is not None and bool(one.message.refusal)
        return kind_of(one.finish_reason, refused) if one.finish_reason else ""
    refused = any(c.message and c.message.refusal for c in choices)
    return _finish([c.finish_reason for c in choices if c.finish_reason], refused)


def _finish(told: list[str], refused: bool) -> str:
    """Return why an answer ended; one of whose choices any was cut off was cut off."""
    kinds = [kind_of(word, refused) for word in told]
    return "length" if "length" in kinds else kinds[0] if kinds else ""


def read_usage(told: object) -> Usage | None:
    """Read a usage object that is decoded already; None when it is none, or is absurd."""
    try:
        return _usage(msgspec.convert(told, _Usage))
    except (msgspec.ValidationError, OverflowError):
        return None


def _usage(told: _Usage) -> Usage | None:
    """Make the counts disjoint: here the prompt's count includes what caches served or stored."""
    prompt, output = told.prompt_tokens, told.completion_tokens
    if prompt is None or output is None:
        return None
    of_input = told.prompt_tokens_details or _NO_INPUT
    of_output = told.completion_tokens_details or _NO_OUTPUT
    cached = of_input.cached_tokens or told.prompt_cache_hit_tokens or told.cached_tokens or 0
    written = of_input.cache_write_tokens or 0
    audio = of_input.audio_tokens or 0
    reasoning = of_output.reasoning_tokens or 0
    # Some providers count reasoning beside the completion, or audio beside the prompt, and only
    # their total tells.
    beside = (told.total_tokens or 0) - prompt - output
    audio_in = 0 if beside == audio else audio
    if beside > 0 and beside != audio:
        output += beside
    audio_out = of_output.audio_tokens or 0
    return Usage(
        input=max(0, prompt - cached - written - audio_in),
        cache_read=cached,
        cache_write=written,
        output=max(0, output - audio_out),
        reasoning=reasoning,
        input_audio=audio,
        output_audio=audio_out,
    )


class ChatTap(TailTap):
    """Reads the answer off a stream's last events."""

    def __init__(self, choices: int = 1) -> None:
        super().__init__()
        self._choices = choices

    def answer(self) -> Answer:
        """Return what the last event with usage says, and why the choices ended."""
        near = self.last_bytes(NEAR)
        for data in self.last_events(b'"usage"', near):
            if (told := read_answer(data)).usage is not None:
                break
        else:
            told = Answer()
        # Each choice ends in a chunk of its own, mostly before the one with the usage.
        if not told.finish or self._choices > 1:
            told.finish = _finish(self._finishes(near), refused=False)
        if told.finish == "end" and self._refused():
            told.finish = "refusal"
        return told

    def _refused(self) -> bool:
        """Whether a refusal was told; that of a single choice goes on to just before the end."""
        most = REFUSED_NEAR if self._choices == 1 else WINDOW
        return self.holds(_REFUSAL, most) and _refuses(self.last_bytes()) is not None

    def _finishes(self, near: bytes) -> list[str]:
        """Return why the choices ended, as many of them as said so."""
        found = told_last(near, b"finish_reason", self._choices)
        if len(found) < self._choices:
            found = told_last(self.last_bytes(), b"finish_reason", self._choices)
        return found


def _suspicious(block: bytes) -> bool:
    """Whether a usage in it is an object, not the null that every other chunk carries."""
    # From behind, a word that is not there is missed in half the time.
    return block.rfind(b'"usage"') >= 0 and _usage_object(block) is not None


def _hidden(event: bytes) -> bool:
    """Whether the event carries usage and no choice."""
    try:
        chunk = _decode_choices(sse.data(event))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return first_byte(chunk.usage) == b"{" and not chunk.choices


def tap(ask: Ask) -> Tap:
    """Return the tap for a query's stream; one hides the usage nobody but farthing asked for."""
    read = ChatTap(ask.choices)
    return read if ask.wants_usage else Hiding(read, _suspicious, _hidden)


def error(problem: FarthingError, request_id: str) -> bytes:
    """Render an error as this dialect's clients expect it."""
    detail = {"message": problem.message, "type": _kind(problem), "param": None}
    return msgspec.json.encode(
        {"error": {**detail, "code": problem.code}, "request_id": request_id}
    )


def fault(problem: FarthingError, request_id: str) -> bytes:
    """Render an error as an event of a stream that has begun."""
    return b"data: " + error(problem, request_id) + b"\n\n"


def _kind(problem: FarthingError) -> str:
    by_status = {401: "authentication_error", 402: "insufficient_quota", 404: "not_found_error"}
    default = "invalid_request_error" if isinstance(problem, Malformed) else "server_error"
    if problem.status < 500 and problem.status not in by_status:
        default = "invalid_request_error"
    return by_status.get(problem.status, default)


def model_list(models: list[str]) -> bytes:
    """Render the list of models ("provider/name" each)."""
    rows = [
        {"id": name, "object": "model", "created": 0, "owned_by": name.partition("/")[0]}
        for name in models
    ]
    return msgspec.json.encode({"object": "list", "data": rows})
