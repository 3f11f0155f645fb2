"""The dialects that count: each is that of the requests it counts, in an envelope.

https://docs.anthropic.com/en/api/messages-count-tokens
https://platform.openai.com/docs/api-reference/responses/input-tokens
https://ai.google.dev/api/tokens
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

import msgspec

from farthing.wire.converse import CONVERSE
from farthing.wire.count.reading import count_in
from farthing.wire.dialect import Answer, Ask, Changes, Dialect, Target, Usage
from farthing.wire.gemini import GEMINI
from farthing.wire.messages import MESSAGES
from farthing.wire.responses import RESPONSES
from farthing.wire.splice import read_field, read_object, rebuild

NESTED = "generateContentRequest"


def read_request(body: bytes) -> Ask:
    """Read whose tokens are to be counted.

    Raises:
        Malformed: not a JSON object.
    """
    fields = read_object(body)
    model = read_field(fields, "model", str, "")
    return Ask(body=body, fields=fields, model=model, makes_output=False, free=True)


def _read_targeted(body: bytes) -> Ask:
    """Read a request whose model stands in the path."""
    return Ask(body=body, fields=read_object(body), model="", makes_output=False, free=True)


def _write_model(ask: Ask, changes: Changes) -> bytes:
    """Return the client's bytes but for the model's name."""
    new = {} if changes.model is None else {"model": msgspec.json.encode(changes.model)}
    return rebuild(ask.body, ask.fields, new)


def _write_nested(ask: Ask, changes: Changes) -> bytes:
    """Return the client's bytes but for the model's name within the request that is counted."""
    inner = read_field(ask.fields, NESTED, dict[str, msgspec.Raw], {})
    if changes.model is None or not inner:
        return ask.body
    renamed = inner | {"model": msgspec.Raw(msgspec.json.encode(f"models/{changes.model}"))}
    return rebuild(ask.body, ask.fields, {NESTED: msgspec.json.encode(renamed)})


def _target(pattern: bytes) -> Callable[[bytes], Target | None]:
    match = re.compile(pattern).fullmatch

    def read(path: bytes) -> Target | None:
        found = match(path)
        return Target(unquote(found[1].decode("latin-1")), False) if found else None

    return read


def _answer(read_count: Callable[[bytes], int | None]) -> Callable[[bytes], Answer]:
    def read(body: bytes) -> Answer:
        """A count is an answer that used nothing."""
        return Answer(usage=Usage() if read_count(body) is not None else None)

    return read


def _counting(of: Dialect, name: str, field: str, **other: object) -> Dialect:
    """Return the dialect that counts another's requests and answers with a field."""
    read_count = count_in(field)
    changes = {"read_request": _read_targeted, "read_count": read_count, "verbs": ("", "")}
    changes["other_paths"] = ()
    return msgspec.structs.replace(
        of, name=name, read_answer=_answer(read_count), family="counting", **{**changes, **other}
    )


COUNTING = _counting(
    MESSAGES,
    "counting",
    "input_tokens",
    path="/messages/count_tokens",
    read_request=read_request,
)
RESPONSES_COUNTING = _counting(
    RESPONSES,
    "responses-counting",
    "input_tokens",
    path="/responses/input_tokens",
    read_request=read_request,
    write_request=_write_model,
)
GEMINI_COUNTING = _counting(
    GEMINI,
    "gemini-counting",
    "totalTokens",
    target=_target(rb"/v1(?:beta|alpha)?/models/([^/:]+):countTokens"),
    write_request=_write_nested,
)
CONVERSE_COUNTING = _counting(
    CONVERSE,
    "converse-counting",
    "inputTokens",
    target=_target(rb"/model/([^/]+)/count-tokens"),
    write_request=lambda ask, _: ask.body,
)
ALL = (COUNTING, RESPONSES_COUNTING, GEMINI_COUNTING, CONVERSE_COUNTING)
