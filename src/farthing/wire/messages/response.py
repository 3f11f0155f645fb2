"""Messages answers: usage, whole and streamed, and errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec

from farthing.errors import FarthingError
from farthing.wire import sse
from farthing.wire.canon import StopKind
from farthing.wire.dialect import Answer, Ask, Tap, Usage
from farthing.wire.messages.request import PLAIN_GEOGRAPHIES, PLAIN_TIERS
from farthing.wire.tap import TailTap

# One below zero is refused by the decoder: it would post a negative cost, and so raise a limit.
Count = Annotated[int, msgspec.Meta(ge=0)] | None

# https://docs.anthropic.com/en/api/handling-stop-reasons
STOPS: dict[str, StopKind] = {
    "end_turn": "end",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
}

# The first event carries the input's usage and nothing of the answer; two kilobytes in practice.
HEAD = 16 * 1024


class _CacheCreation(msgspec.Struct):
    ephemeral_5m_input_tokens: Count = None
    ephemeral_1h_input_tokens: Count = None


class _ServerTools(msgspec.Struct):
    web_search_requests: Count = None


class _OutputDetails(msgspec.Struct):
    thinking_tokens: Count = None


class _Usage(msgspec.Struct, omit_defaults=True):
    input_tokens: Count = None
    output_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    cache_creation: _CacheCreation | None = None
    output_tokens_details: _OutputDetails | None = None
    server_tool_use: _ServerTools | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None


class _Answer(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: _Usage | None = None
    stop_reason: str | None = None


class _Delta(msgspec.Struct):
    stop_reason: str | None = None


class _Event(msgspec.Struct):
    message: _Answer | None = None
    usage: _Usage | None = None
    delta: _Delta | None = None


_decode = msgspec.json.Decoder(_Answer).decode
_decode_count = msgspec.json.Decoder(_Usage).decode
_decode_event = msgspec.json.Decoder(_Event).decode


def read_answer(body: bytes) -> Answer:
    """Read a whole answer."""
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    return _answer(answer, answer.usage or _Usage(), answer.stop_reason)


def _answer(answer: _Answer, usage: _Usage, stop: str | None) -> Answer:
    return Answer(
        usage=_usage(usage),
        model=answer.model or "",
        id=answer.id or "",
        options=_options(usage),
        finish=STOPS.get(stop, "other") if stop else "",
    )


def _usage(told: _Usage) -> Usage | None:
    """Counts are disjoint in this dialect already, but for the two lifetimes of a cache."""
    if told.input_tokens is None or told.output_tokens is None:
        return None
    by_life = told.cache_creation or _CacheCreation()
    lasting = by_life.ephemeral_1h_input_tokens or 0
    both = lasting + (by_life.ephemeral_5m_input_tokens or 0)
    written = max(told.cache_creation_input_tokens or 0, both)
    return Usage(
        input=told.input_tokens,
        cache_read=told.cache_read_input_tokens or 0,
        cache_write=written - lasting,
        cache_write_1h=lasting,
        output=told.output_tokens,
        reasoning=(told.output_tokens_details or _OutputDetails()).thinking_tokens or 0,
        web_searches=(told.server_tool_use or _ServerTools()).web_search_requests or 0,
    )


def usage_of(*told: Any) -> Usage | None:
    """Read decoded usage objects; each replaces what those before it counted."""
    whole = _Usage()
    for value in told:
        try:
            whole = _merge(whole, msgspec.convert(value, _Usage))
        except msgspec.ValidationError:
            return None
    return _usage(whole)


def _options(told: _Usage) -> dict[str, str]:
    values = (
        ("service_tier", told.service_tier, PLAIN_TIERS),
        ("speed", told.speed, PLAIN_TIERS),
        ("inference_geo", told.inference_geo, PLAIN_GEOGRAPHIES),
    )
    return {name: value for name, value, plain in values if value and value not in plain}


def read_count(body: bytes) -> int | None:
    """Read the answer to a request to count tokens."""
    try:
        return _decode_count(body).input_tokens
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class MessagesTap(TailTap):
    """Takes the input's usage from the first event and the output's from the last ones."""

    def __init__(self) -> None:
        super().__init__(head=HEAD)
        self._first: _Answer | None = None

    def begun(self) -> bool:
        """Whether the first event was read: nothing more of the first bytes is wanted then."""
        if b'"message"' in self.first_bytes():
            told = (event.message for event in _read(self.first_events()) if event.message)
            self._first = next(told, None)
        return self._first is not None

    def answer(self) -> Answer:
        """Return the usage as the stream last told it."""
        begun = self._first
        last = _read(self.last_events(b'"usage"'))
        usage = (begun.usage if begun else None) or _Usage()
        told = next((e for e in last if e.usage), None)
        if told is not None and told.usage is not None:
            usage = _merge(usage, told.usage)
        stop = told.delta.stop_reason if told is not None and told.delta else None
        answer = _answer(begun or _Answer(), usage, stop)
        if told is None:  # the first event counts no output yet: not an answer's usage
            answer.usage = None
        return answer


def _merge(first: _Usage, last: _Usage) -> _Usage:
    """Later counts are running totals and replace earlier ones; what they omit stays."""
    changed = {
        name: value for name, value in msgspec.structs.asdict(last).items() if value is not None
    }
    return msgspec.structs.replace(first, **changed)


def _read(events: Iterable[bytes]) -> Iterator[_Event]:
    for data in events:
        try:
            yield _decode_event(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # the cut first event of the window, or one that farthing need not know


class Restoring:
    """Puts the first event before a stream that came without it, for clients and tap alike."""

    def __init__(self, tap: Tap, ask: Ask) -> None:
        self._tap = tap
        self._start = _message_start(ask)
        self._carry: bytes | None = b""

    def feed(self, data: bytes) -> bytes:
        """Look at the first event once it is whole; pass everything on."""
        if self._carry is None:
            return self._tap.feed(data)
        block = self._carry + data
        if not sse.complete_length(block):
            self._carry = block
            return b""
        self._carry = None
        begins = b'"message_start"' in next(sse.events(block))
        return self._tap.feed(block if begins else self._start + block)

    def rest(self) -> bytes:
        """Return what was held back for want of a whole event."""
        return self._tap.feed(self._carry or b"") + self._tap.rest()

    def answer(self) -> Answer:
        """Return what the stream said of itself so far."""
        return self._tap.answer()


def _message_start(ask: Ask) -> bytes:
    usage = {"input_tokens": ask.counted_input, "output_tokens": 0}
    blank: dict[str, object] = {
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }
    message = {"id": "", "type": "message", "model": ask.model, **blank, "usage": usage}
    data = msgspec.json.encode({"type": "message_start", "message": message})
    return b"event: message_start\ndata: %s\n\n" % data


def tap(ask: Ask) -> Tap:
    """Return the tap for a query's stream."""
    return MessagesTap() if ask.counted_input is None else Restoring(MessagesTap(), ask)


# https://docs.anthropic.com/en/api/errors
KINDS = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def error(problem: FarthingError, request_id: str) -> bytes:
    """Render an error as this dialect's clients expect it; our code stands beside its type."""
    default = "invalid_request_error" if problem.status < 500 else "api_error"
    detail = {"type": KINDS.get(problem.status, default), "message": problem.message}
    shape = {"type": "error", "error": {**detail, "code": problem.code}, "request_id": request_id}
    return msgspec.json.encode(shape)


def fault(problem: FarthingError, request_id: str) -> bytes:
    """Render an error as an event of a stream that has begun."""
    return b"event: error\ndata: " + error(problem, request_id) + b"\n\n"


def model_list(models: list[str]) -> bytes:
    """Render the list of models ("provider/name" each), as one page."""
    rows = [
        {"type": "model", "id": m, "display_name": m, "created_at": "1970-01-01T00:00:00Z"}
        for m in models
    ]
    ends = {"first_id": models[0] if models else None, "last_id": models[-1] if models else None}
    return msgspec.json.encode({"data": rows, "has_more": False, **ends})
