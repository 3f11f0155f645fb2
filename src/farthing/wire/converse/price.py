"""What decides a Converse request's price, and the usage of its answers."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import msgspec

from farthing.errors import FarthingError, Malformed
from farthing.wire.asking import ask_of, decoded
from farthing.wire.canon import JSON
from farthing.wire.converse.answers import STOPS
from farthing.wire.converse.frames import PRELUDE, Decoder, Message, read_event, write_event
from farthing.wire.converse.requests import read_request as read_canonical
from farthing.wire.converse.usage import read_usage
from farthing.wire.dialect import Answer, Ask, Changes, Tap, Target, Usage
from farthing.wire.framing import WireEvent

# Fields whose cost lies elsewhere: guardrails are billed by the text they look at, prompts of the
# provider's own have a length that only it knows.
UNBOUNDED_FIELDS = ("guardrailConfig", "promptVariables")
VERBS = ("converse", "converse-stream")
STREAM_TYPE = b"application/vnd.amazon.eventstream"

# What a model may be told beside the dialect that changes no price but by its tokens.
BOUNDED_EXTRAS = frozenset({"inferenceConfig", "reasoning_config", "reasoning_effort", "thinking",
                            "top_k", "topK"})  # fmt: skip
PLAIN = frozenset({"default", "standard"})

# A frame larger than this is no piece of an answer; its headers take some hundred bytes.
FRAME_MOST = 1024 * 1024
HEADERS_MOST = 200

_target = re.compile(rb"/model/([^/]+)/(converse|converse-stream)")


def target(path: bytes) -> Target | None:
    """Read the model, and whether to stream, off a path."""
    found = _target.fullmatch(path)
    if found is None:
        return None
    return Target(unquote(found[1].decode("latin-1")), found[2] == b"converse-stream")


def read_request(body: bytes) -> Ask:
    """Read what decides a request's price; its model and streaming stand in the path.

    Raises:
        Malformed: not a JSON object, or nested too deep.
    """
    told = decoded(body)
    ask = ask_of(read_canonical(told), body, UNBOUNDED_FIELDS)
    ask.options = _options(told)
    more = told.get("additionalModelRequestFields")
    if isinstance(more, dict):
        _read_more(more, ask)
    return ask


def _options(told: JSON) -> dict[str, str]:
    """Return what selects a price: how fast, and in which tier, an answer is to come."""
    latency = _inner(told, "performanceConfig").get("latency")
    tier = _inner(told, "serviceTier").get("type")
    found = {"latency": latency, "service_tier": tier}
    return {k: v for k, v in found.items() if isinstance(v, str) and v not in PLAIN}


def _read_more(more: JSON, ask: Ask) -> None:
    """Look through what goes to the model as it stands, for what costs more than tokens."""
    unknown = sorted(more.keys() - BOUNDED_EXTRAS)
    ask.unbounded += tuple(f"`additionalModelRequestFields.{name}`" for name in unknown)
    budget = _inner(more, "thinking").get("budget_tokens")
    if isinstance(budget, int) and budget > 0:
        ask.least_output = max(ask.least_output, budget + 1)


def _inner(told: JSON, name: str) -> JSON:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def write_request(ask: Ask, changes: Changes) -> bytes:
    """Return the request to send: the client's bytes, unless its cap must change."""
    if changes.output_cap is None:
        return ask.body
    told = decoded(ask.body)
    settings = told.get("inferenceConfig")
    kept = settings if isinstance(settings, dict) else {}
    return msgspec.json.encode(
        {**told, "inferenceConfig": {**kept, "maxTokens": changes.output_cap}}
    )


def read_answer(body: bytes) -> Answer:
    """Read a whole answer."""
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    return Answer(usage=_usage(told), finish=_finish(told))


def _finish(told: Any) -> str:
    word = told.get("stopReason") if isinstance(told, dict) else None
    return STOPS.get(word, "other") if isinstance(word, str) else ""


def _usage(told: JSON) -> Usage | None:
    usage = told.get("usage") if isinstance(told, dict) else None
    return read_usage(usage) if isinstance(usage, dict) else None


class FrameFraming:
    """The binary frames of an event stream."""

    def __init__(self) -> None:
        self._decoder = Decoder()

    def feed(self, data: bytes) -> list[WireEvent]:
        """Return the events that are complete now. Raises Malformed."""
        return [read_event(message) for message in self._decoder.feed(data)]

    def rest(self) -> list[WireEvent]:
        """Check that the stream ends where an event does. Raises Malformed."""
        self._decoder.close()
        return []

    def write(self, event: WireEvent) -> bytes:
        """Return an event's frame."""
        return write_event(event)


class ConverseTap:
    """Finds the frames with the usage and with the reason to end by the frames' lengths alone, and
    reads only those."""

    def __init__(self) -> None:
        self._carry = b""
        self._found = b""
        self._stop = b""
        """The frame before the one with the usage."""
        self._last = b""

    def feed(self, data: bytes) -> bytes:
        """Step from frame to frame, and pass the bytes on."""
        buffer = self._carry + data if self._carry else data
        at, before, size = 0, -1, len(buffer)
        while size - at >= PRELUDE:
            length = int.from_bytes(buffer[at : at + 4], "big")
            if not PRELUDE < length <= FRAME_MOST:
                at = size  # then the usage stays unknown; what its client makes of it is its own
                break
            if size - at < length:
                break
            if b"metadata" in buffer[at : at + HEADERS_MOST]:
                self._found = buffer[at : at + length]
                self._stop = buffer[before:at] if before >= 0 else self._last
            before, at = at, at + length
        if before >= 0:
            self._last = buffer[before:at]
        self._carry = buffer[at:]
        return data

    def rest(self) -> bytes:
        """Nothing is held back."""
        return b""

    def answer(self) -> Answer:
        """Return what the stream said of itself so far."""
        answer = read_answer(_payload(self._found))
        answer.finish = read_answer(_payload(self._stop)).finish
        return answer


def _payload(frame: bytes) -> bytes:
    """Return what a frame holds; nothing, where it is damaged."""
    try:
        (message,) = Decoder().feed(frame) if frame else (Message(),)
    except Malformed:
        return b""
    return message.payload


def tap(_: Ask) -> Tap:
    """Return the tap for a query's stream."""
    return ConverseTap()


# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors
KINDS = {
    400: "ValidationException",
    401: "AccessDeniedException",
    402: "ServiceQuotaExceededException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
    504: "ModelTimeoutException",
}


def error(problem: FarthingError, request_id: str) -> bytes:
    """Render an error as this dialect's clients expect it."""
    return msgspec.json.encode(
        {
            "message": problem.message,
            "code": _kind(problem),  # where clients look for the exception's name
            "reason": problem.code,
            "requestId": request_id,
        }
    )


def fault(problem: FarthingError, request_id: str) -> bytes:
    """Render an error as the frame of an exception."""
    told = {"message": problem.message, "code": problem.code, "requestId": request_id}
    return write_event(WireEvent(told, "modelStreamErrorException"))


def _kind(problem: FarthingError) -> str:
    default = "ValidationException" if problem.status < 500 else "InternalServerException"
    return KINDS.get(problem.status, default)
