"""The dialect of OpenAI's Embeddings, spoken by most providers that have any. It crosses to none.

https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from farthing.wire.chat.deployments import deployment
from farthing.wire.chat.response import error, fault, model_list
from farthing.wire.dialect import Answer, Ask, Changes, Dialect, Tap, Usage
from farthing.wire.splice import read_field, read_object, rebuild
from farthing.wire.tap import TailTap

Count = Annotated[int, msgspec.Meta(ge=0)] | None


class _Usage(msgspec.Struct):
    prompt_tokens: Count = None
    completion_tokens: Count = None


class _Answer(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: _Usage | None = None


_decode = msgspec.json.Decoder(_Answer).decode


def read_request(body: bytes) -> Ask:
    """Read what decides a request's price: the length of its input.

    Raises:
        Malformed: not a JSON object.
    """
    fields = read_object(body)
    model = read_field(fields, "model", str, "")
    return Ask(body=body, fields=fields, model=model, makes_output=False)


def write_request(ask: Ask, changes: Changes) -> bytes:
    """Return the request to send: the client's bytes but for the model's name."""
    new = {} if changes.model is None else {"model": msgspec.json.encode(changes.model)}
    return rebuild(ask.body, ask.fields, new)


def read_answer(body: bytes) -> Answer:
    """Read a whole answer. Output that was counted has no price here, so its usage is unknown."""
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    usage = told.usage or _Usage()
    known = usage.prompt_tokens is not None and not usage.completion_tokens
    return Answer(
        usage=Usage(input=usage.prompt_tokens or 0) if known else None,
        model=told.model or "",
        id=told.id or "",
    )


class _NoTap(TailTap):
    """Embeddings are not streamed."""

    def answer(self) -> Answer:
        """Nothing is known."""
        return Answer()


def tap(_: Ask) -> Tap:
    """Return a tap that finds nothing."""
    return _NoTap()


EMBEDDINGS = Dialect(
    name="embeddings",
    path="/embeddings",
    read_request=read_request,
    write_request=write_request,
    read_answer=read_answer,
    read_count=lambda _: None,  # nobody asks for a count in this dialect
    tap=tap,
    error=error,
    fault=fault,
    model_list=model_list,
    target=deployment(b"embeddings"),
    other_paths=("/openai/v1/embeddings",),
    crosses=False,
)
