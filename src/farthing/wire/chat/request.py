"""Chat requests: what decides their price, and the few changes made to them."""

from __future__ import annotations

from typing import get_type_hints

import msgspec

from farthing.errors import Malformed
from farthing.wire.dialect import Ask, Changes
from farthing.wire.splice import is_null, read_beside, read_field, read_object, read_parts, rebuild

CAPS = ("max_completion_tokens", "max_tokens")

# Content parts whose tokens their bytes bound.
TEXT_PARTS = frozenset({"text", "refusal", "thinking", "reference"})

# Content parts whose tokens no bytes bound, and the kind of each.
OPAQUE_PARTS = {"file": "document", "input_audio": "audio"}

# Fields that buy something farthing cannot bound yet: searches, sound, other models.
UNBOUNDED_FIELDS = ("web_search_options", "audio", "plugins", "models", "search_parameters")

# From this size of a request on, and of its messages on average, they are read only once.
LARGE, LARGE_MESSAGE = 8192, 1024

# The first byte of an array.
ARRAY = ord("[")

# Fields that few requests have, and that change what one can cost.
UNUSUAL = frozenset({*UNBOUNDED_FIELDS, "prediction", "tools", "functions", "reasoning"})

# The mode in which a query is answered once; in another it is run several times over, and each
# run's input is billed: a recorded query of some 350 tokens was counted as 1,690.
# https://developers.openai.com/api/docs/guides/reasoning
SINGLE_MODE = "standard"

# Tiers that select no price of their own.
PLAIN_TIERS = frozenset({"", "auto", "default", "standard", "on_demand"})

# Of them those that leave the tier to the account: its owner may have chosen a dearer one.
# https://platform.openai.com/docs/api-reference/chat/create#chat_create-service_tier
OPEN_TIERS = frozenset({"", "auto"})


class _Part(msgspec.Struct):
    type: str = ""
    image_url: msgspec.Raw = msgspec.Raw()


class _Message(msgspec.Struct):
    content: msgspec.Raw = msgspec.Raw()
    audio: msgspec.Raw = msgspec.Raw()


class _Tool(msgspec.Struct):
    type: str | None = None


class Reasoning(msgspec.Struct):
    """How a model is to reason."""

    mode: str | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Told(msgspec.Struct):
    """What is read of most requests, all at once."""

    model: str | None = None
    messages: list[_Message] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    n: int | None = None
    service_tier: str | None = None
    modalities: list[str] | None = None


class _LargeMessage(_Message):
    """With all that most messages have, so that their length is known from their values'."""

    role: msgspec.Raw = msgspec.Raw()
    tool_calls: msgspec.Raw = msgspec.Raw()
    tool_call_id: msgspec.Raw = msgspec.Raw()


class _LargeTold(_Told):
    messages: list[_LargeMessage] | None = None  # type: ignore[assignment]


_decode_told = msgspec.json.Decoder(_Told).decode
_decode_large = msgspec.json.Decoder(_LargeTold).decode


def read_request(body: bytes) -> Ask:
    """Read what decides a chat request's price and way.

    Raises:
        Malformed: not a JSON object, or a field that decides the price is of a wrong type.
    """
    told, fields = _read_large(body) if len(body) >= LARGE else _read(body)
    stream, tier = told.stream or False, told.service_tier or ""
    # Of two caps the larger, as either may be the one that is meant.
    cap = max(told.max_completion_tokens or 0, told.max_tokens or 0)
    ask = Ask(
        body=body,
        fields=fields,
        model=told.model or "",
        stream=stream,
        wants_usage=not stream or _wants_usage(told),
        output_cap=cap if cap > 0 else None,
        choices=1 if told.n is None else told.n,
        cache_marks=True,  # providers of this dialect write to caches unasked
        open_tier=tier in OPEN_TIERS,
    )
    if not UNUSUAL.isdisjoint(fields) or told.modalities:
        _read_unusual(ask, told)
    for message in told.messages or ():
        # Of each only the first byte is looked at, if it has nothing but a text.
        if message.audio or (message.content and memoryview(message.content)[0] == ARRAY):
            _read_parts(ask, message)
    if ask.choices < 1:
        raise Malformed("invalid_field", "`n` must be 1 or more.")
    if tier not in PLAIN_TIERS:
        ask.options = {"service_tier": tier}
    return ask


def write_request(ask: Ask, changes: Changes) -> bytes:
    """Return the request to send: the client's bytes but for the changes."""
    new: dict[str, bytes] = {}
    if changes.model is not None:
        new["model"] = msgspec.json.encode(changes.model)
    cap = changes.output_cap or ask.output_cap
    if cap is not None:
        written = [name for name in CAPS if name in ask.fields]
        field = changes.output_cap_field or (written or CAPS)[0]
        if changes.output_cap is not None or written != [field]:
            # Under a name that the provider does not read, a cap would bound nothing.
            new |= dict.fromkeys(written, b"")
            new[field] = b"%d" % cap
    if changes.ask_usage:
        options = read_field(ask.fields, "stream_options", dict[str, msgspec.Raw], {})
        options["include_usage"] = msgspec.Raw(b"true")
        new["stream_options"] = msgspec.json.encode(options)
    return rebuild(ask.body, ask.fields, new)


def _read_large(body: bytes) -> tuple[_Told, dict[str, msgspec.Raw]]:
    """Read a large request as `_read` does, its messages only once if they are large themselves."""
    try:
        told = _decode_large(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read(body)  # says what is wrong with it
    messages = told.messages
    if not messages or len(body) < LARGE_MESSAGE * len(messages):
        return told, read_object(body)
    return told, read_beside(body, "messages", _size(messages)) or read_object(body)


def _size(messages: list[_LargeMessage]) -> int:
    """Return how long messages are without spaces, or less if they have more than is known of.

    Each field adds its value, its name, two quotes, a colon and a comma.
    """
    size = 1 + 2 * len(messages)
    for message in messages:
        if message.role:
            size += len(message.role) + 8
        if message.content:
            size += len(message.content) + 11
        if message.tool_calls:
            size += len(message.tool_calls) + 14
        if message.tool_call_id:
            size += len(message.tool_call_id) + 16
    return size


def _read(body: bytes) -> tuple[_Told, dict[str, msgspec.Raw]]:
    """Return what is read of a request, and its values."""
    fields = read_object(body)
    try:
        return _decode_told(body), fields
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        for name, kind in get_type_hints(_Told).items():
            read_field(fields, name, kind, None)  # says which it is
        raise Malformed("invalid_json", f"The body cannot be read: {error}.") from None


def _wants_usage(told: _Told) -> bool:
    return told.stream_options is not None and bool(told.stream_options.include_usage)


def _read_unusual(ask: Ask, told: _Told) -> None:
    """Read the fields that few requests have."""
    fields = ask.fields
    unbounded = [f"`{name}`" for name in UNBOUNDED_FIELDS if name in fields]
    unbounded += [f"output modality `{kind}`" for kind in told.modalities or () if kind != "text"]
    ask.extra_output = len(fields.get("prediction", b""))
    if "tools" in fields or "functions" in fields:
        ask.tools = True
        unbounded += _server_tools(fields)
    if "reasoning" in fields:
        unbounded += repeated(fields)
    ask.unbounded = tuple(unbounded)


def _read_parts(ask: Ask, message: _Message) -> None:
    """Read each image's size, what other content is opaque, and what has no bound at all."""
    opaque: list[tuple[str, str]] = []
    unbounded = [] if is_null(message.audio) else ["earlier audio"]
    for part in read_parts(message.content, _Part):
        if part.type == "image_url":
            ask.images += 1
            ask.opaque_bytes += len(part.image_url)
        elif part.type in OPAQUE_PARTS:
            opaque.append((OPAQUE_PARTS[part.type], f"content part `{part.type}`"))
        elif part.type not in TEXT_PARTS:
            unbounded.append(f"content part `{part.type}`")
    ask.opaque += tuple(opaque)
    ask.unbounded += tuple(unbounded)


def repeated(fields: dict[str, msgspec.Raw]) -> list[str]:
    """Name the mode of reasoning that runs a query several times over, if it is in one."""
    mode = read_field(fields, "reasoning", Reasoning, Reasoning()).mode or SINGLE_MODE
    return [] if mode == SINGLE_MODE else [f"`reasoning.mode` = `{mode}`"]


def _server_tools(fields: dict[str, msgspec.Raw]) -> list[str]:
    tools = read_field(fields, "tools", list[_Tool], [])
    return [f"tool `{t.type}`" for t in tools if t.type not in (None, "function", "custom")]
