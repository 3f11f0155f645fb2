"""A dialect in a cloud's envelope: the same request and the same answer, otherwise wrapped.

Two clouds take Anthropic's Messages as their author says it, but for the model, which stands in
the path, and the version, which stands in the body. One of them streams in binary frames.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import msgspec

from farthing.errors import Malformed
from farthing.wire.canon import Problem
from farthing.wire.converse.frames import Decoder, Message, read_event
from farthing.wire.converse.price import STREAM_TYPE
from farthing.wire.converse.problems import FAULTS
from farthing.wire.converse.problems import read_problem as read_amazon
from farthing.wire.crossing import Crossing
from farthing.wire.dialect import Answer, Ask, Changes, Dialect, Tap
from farthing.wire.gemini.problems import read_problem as read_google
from farthing.wire.messages import MESSAGES
from farthing.wire.messages.problems import write_problem
from farthing.wire.splice import rebuild

BETA = "anthropic-beta"

# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html
STATUSES = {**FAULTS, "modelTimeoutException": 408}


# -- requests -----------------------------------------------------------------------------------


def _invoked(ask: Ask, changes: Changes) -> bytes:
    """Return a request for InvokeModel: what headers and the path say is not said in the body."""
    version = b'"bedrock-2023-05-31"'
    return _enclosed(ask, changes, anthropic_version=version, stream=b"", **_betas(ask))


def _predicted(ask: Ask, changes: Changes) -> bytes:
    """Return a request for rawPredict, which still says whether to stream."""
    return _enclosed(ask, changes, anthropic_version=b'"vertex-2023-10-16"')


def _enclosed(ask: Ask, changes: Changes, **fields: bytes) -> bytes:
    new = {"model": b"", **fields}
    if changes.output_cap is not None:
        new["max_tokens"] = b"%d" % changes.output_cap
    return rebuild(ask.body, ask.fields, new)


def _betas(ask: Ask) -> dict[str, bytes]:
    """Return the header's betas as the field they are here, with those the body names itself."""
    told = [name.strip() for name in ask.headers.get(BETA, "").split(",") if name.strip()]
    if not told:
        return {}
    try:
        named = msgspec.json.decode(ask.fields.get("anthropic_beta", b"[]"), type=list[str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}  # the provider says what is wrong with it
    return {"anthropic_beta": msgspec.json.encode(list(dict.fromkeys(told + named)))}


# -- streams ------------------------------------------------------------------------------------


class _Event(msgspec.Struct):
    type: str = ""


_type_of = msgspec.json.Decoder(_Event).decode


class Unframed:
    """Takes a stream's events out of binary frames; from there on it is the dialect's own."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._frames = Decoder()

    def feed(self, data: bytes) -> bytes:
        """Take frames; return their events, as server-sent ones. Raises Malformed."""
        return self._tap.feed(b"".join(map(_event, self._frames.feed(data))))

    def rest(self) -> bytes:
        """Return what is held back; an error where the stream broke off within a frame."""
        rest = self._tap.rest()
        try:
            self._frames.close()
        except Malformed as problem:
            rest += _fault(500, {"message": problem.message})
        return rest

    def answer(self) -> Answer:
        """Return what the stream said of itself so far."""
        return self._tap.answer()


def _event(message: Message) -> bytes:
    """Return a frame's event: the JSON within it, as it is; or the error that it tells."""
    event = read_event(message)
    if event.name.endswith("Exception"):
        return _fault(STATUSES.get(event.name, 500), event.data)
    if event.name != "chunk":
        return b""  # a kind of frame that came after this was written
    try:
        told = base64.b64decode(event.data["bytes"], validate=True)
        kind = _type_of(told).type
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, TypeError, KeyError):
        raise Malformed("invalid_field", "A chunk of the stream holds no event.") from None
    if b"\n" in told:  # would end the line that it stands on
        told = msgspec.json.format(told, indent=-1)
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), told)


def _fault(status: int, told: Any) -> bytes:
    return b"event: error\ndata: %s\n\n" % _written(read_amazon(status, told))


# -- errors -------------------------------------------------------------------------------------


def _written(problem: Problem) -> bytes:
    """Return a cloud's error as the dialect's own."""
    return msgspec.json.encode(write_problem(problem, Crossing(problem.dialect, MESSAGES.name)))


def _reworded(read: Callable[[int, Any], Problem]) -> Callable[[int, bytes], bytes]:
    """Return what rewrites a cloud's errors; the model's own, which it may pass on, stay."""

    def reworded(status: int, body: bytes) -> bytes:
        try:
            told = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            told = body.decode("utf-8", "replace")
        if isinstance(told, dict) and told.get("type") == "error":
            return body
        return _written(read(status, told))

    return reworded


INVOKE = msgspec.structs.replace(
    MESSAGES,
    write_request=_invoked,
    tap=lambda ask: Unframed(MESSAGES.tap(ask)),
    stream_type=STREAM_TYPE,
    verbs=("invoke", "invoke-with-response-stream"),
    passed_headers=(),
    required_headers=(),
    reworded=_reworded(read_amazon),
)
PREDICT = msgspec.structs.replace(
    MESSAGES,
    write_request=_predicted,
    verbs=("rawPredict", "streamRawPredict"),
    passed_headers=(BETA,),
    required_headers=(),
    reworded=_reworded(read_google),
)

ENVELOPES: dict[str, Dialect] = {"invoke": INVOKE, "predict": PREDICT}
"""By the names that a provider's TOML calls them."""
