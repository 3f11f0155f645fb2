"""Google's embeddings: of one content (embedContent) and of several (batchEmbedContents).

https://ai.google.dev/api/embeddings
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec

from farthing.wire.asking import decoded
from farthing.wire.canon import JSON
from farthing.wire.count.reading import count_in
from farthing.wire.dialect import Answer, Ask, Changes, Dialect, Target, Usage
from farthing.wire.embed.tap import no_stream
from farthing.wire.gemini.price import error, fault, model_list
from farthing.wire.splice import read_field, read_object, rebuild

NAME, BATCH = "gemini-embeddings", "gemini-batch-embeddings"
MODELS = "models/"

Count = Annotated[int, msgspec.Meta(ge=0)] | None


class _Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: Count = None


class _Answer(msgspec.Struct, rename="camel"):
    embedding: msgspec.Raw = msgspec.Raw()
    embeddings: msgspec.Raw = msgspec.Raw()
    usage_metadata: _Usage | None = None


_decode = msgspec.json.Decoder(_Answer).decode


def target(verb: bytes) -> Callable[[bytes], Target | None]:
    """Return what reads the model off a path that ends with a verb."""
    match = re.compile(rb"/v1(?:beta|alpha)?/models/([^/:]+):" + verb).fullmatch

    def read(path: bytes) -> Target | None:
        found = match(path)
        return Target(unquote(found[1].decode("latin-1")), False) if found else None

    return read


def read_ask(body: bytes) -> Ask:
    """Read what decides a request's price; its model stands in the path.

    Raises:
        Malformed: not a JSON object.
    """
    contents = _contents(decoded(body))
    found = {key for content in contents for part in parts_of(content) for key in part}
    media = tuple(f"content part `{key}`" for key in sorted(found - {"text"}))
    return Ask(body=body, fields=read_object(body), model="", makes_output=False, unbounded=media)


def _contents(told: JSON) -> list[Any]:
    """Return what is to be embedded, in either form."""
    batch = told.get("requests")
    requests = batch if isinstance(batch, list) else [told]
    return [r.get("content") for r in requests if isinstance(r, dict)]


def parts_of(content: Any) -> list[JSON]:
    """Return a content's parts."""
    parts = content.get("parts") if isinstance(content, dict) else None
    return [p for p in parts if isinstance(p, dict)] if isinstance(parts, list) else []


def write_ask(ask: Ask, changes: Changes) -> bytes:
    """Return the request to send: the client's bytes but for the model's name, where it stands."""
    if changes.model is None:
        return ask.body
    name = msgspec.json.encode(MODELS + changes.model)
    new: dict[str, bytes] = {}
    if "model" in ask.fields:
        new["model"] = name
    if "requests" in ask.fields:
        rows = read_field(ask.fields, "requests", list[dict[str, msgspec.Raw]], [])
        renamed = [row | {"model": msgspec.Raw(name)} for row in rows]
        new["requests"] = msgspec.json.encode(renamed)
    return rebuild(ask.body, ask.fields, new) if new else ask.body


def write_counting(ask: Ask) -> bytes:
    """Return what has the input's tokens counted.

    https://ai.google.dev/api/tokens
    """
    return msgspec.json.encode({"contents": [c for c in _contents(decoded(ask.body)) if c]})


def read_answer(body: bytes) -> Answer:
    """Read a whole answer. Older models tell no usage."""
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    usage = told.usage_metadata
    if usage is None or usage.prompt_token_count is None:
        return Answer()
    return Answer(usage=Usage(input=usage.prompt_token_count))


def read_counted(body: bytes, tokens: int) -> Answer:
    """Read a whole answer whose usage was counted beforehand, if it has any embedding."""
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Answer()
    served = bytes(told.embedding)[:1] == b"{" or bytes(told.embeddings)[:1] == b"["
    return Answer(usage=Usage(input=tokens)) if served else Answer()


def _dialect(name: str, verb: bytes) -> Dialect:
    return Dialect(
        name=name,
        path="",
        read_request=read_ask,
        write_request=write_ask,
        read_answer=read_answer,
        read_count=count_in("totalTokens"),
        tap=no_stream,
        error=error,
        fault=fault,
        model_list=model_list,
        target=target(verb),
        family="embeddings",
        write_counting=write_counting,
        read_counted=read_counted,
    )


GEMINI_EMBEDDINGS = _dialect(NAME, b"embedContent")
GEMINI_BATCH_EMBEDDINGS = _dialect(BATCH, b"batchEmbedContents")
