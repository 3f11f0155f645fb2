"""Chat requests: what decides their price, and the few changes made to them."""

from __future__ import annotations

import msgspec

from farthing.errors import Malformed
from farthing.wire.dialect import Ask, Changes
from farthing.wire.splice import is_null, read_field, read_object, read_parts, rebuild

CAPS = ("max_completion_tokens", "max_tokens")

# Content parts whose tokens their bytes bound.
TEXT_PARTS = frozenset({"text", "refusal", "thinking", "reference"})

# Content parts whose tokens no bytes bound, and the kind of each.
OPAQUE_PARTS = {"file": "document", "input_audio": "audio"}

# Fields that buy something farthing cannot bound yet: searches, sound, other models.
UNBOUNDED_FIELDS = ("web_search_options", "audio", "plugins", "models", "search_parameters")

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


def read_request(body: bytes) -> Ask:
    """Read what decides a chat request's price and way.

    Raises:
        Malformed: not a JSON object, or a field that decides the price is of a wrong type.
    """
    fields = read_object(body)
    stream = read_field(fields, "stream", bool, False)
    images, opaque, unbounded = _media(fields)
    ask = Ask(
        body=body,
        fields=fields,
        model=read_field(fields, "model", str, ""),
        stream=stream,
        wants_usage=not stream or _wants_usage(fields),
        output_cap=_output_cap(fields),
        choices=read_field(fields, "n", int, 1),
        extra_output=len(fields.get("prediction", b"")),
        cache_marks=True,  # providers of this dialect write to caches unasked
        images=len(images),
        opaque_bytes=sum(images),
        opaque=tuple(opaque),
    )
    if "tools" in fields or "functions" in fields:
        ask.tools = True
        unbounded += _server_tools(fields)
    if "reasoning" in fields:
        unbounded += repeated(fields)
    if ask.choices < 1:
        raise Malformed("invalid_field", "`n` must be 1 or more.")
    tier = read_field(fields, "service_tier", str, "")
    if tier not in PLAIN_TIERS:
        ask.options = {"service_tier": tier}
    ask.open_tier = tier in OPEN_TIERS
    ask.unbounded = tuple(unbounded)
    return ask


def write_request(ask: Ask, changes: Changes) -> bytes:
    """Return the request to send: the client's bytes but for the changes."""
    new: dict[str, bytes] = {}
    if changes.model is not None:
        new["model"] = msgspec.json.encode(changes.model)
    written = [name for name in CAPS if name in ask.fields]
    field = changes.output_cap_field or (written or CAPS)[0]
    cap = changes.output_cap or ask.output_cap
    if cap is not None and (changes.output_cap is not None or written != [field]):
        # Under a name that the provider does not read, a cap would bound nothing.
        new |= dict.fromkeys(written, b"")
        new[field] = b"%d" % cap
    if changes.ask_usage:
        options = read_field(ask.fields, "stream_options", dict[str, msgspec.Raw], {})
        options["include_usage"] = msgspec.Raw(b"true")
        new["stream_options"] = msgspec.json.encode(options)
    return rebuild(ask.body, ask.fields, new)


def _output_cap(fields: dict[str, msgspec.Raw]) -> int | None:
    """Return the client's cap; of two the larger, as either may be the one that is meant."""
    caps = [read_field(fields, name, int, 0) for name in CAPS]
    return max(caps) if max(caps) > 0 else None


def _wants_usage(fields: dict[str, msgspec.Raw]) -> bool:
    options = read_field(fields, "stream_options", _StreamOptions, _StreamOptions())
    return bool(options.include_usage)


def _media(
    fields: dict[str, msgspec.Raw],
) -> tuple[list[int], list[tuple[str, str]], list[str]]:
    """Return each image's size, what other content is opaque, and what has no bound at all."""
    images: list[int] = []
    opaque: list[tuple[str, str]] = []
    unbounded = [f"`{name}`" for name in UNBOUNDED_FIELDS if name in fields]
    modalities = read_field(fields, "modalities", list[str], [])
    unbounded += [f"output modality `{kind}`" for kind in modalities if kind != "text"]
    for message in read_field(fields, "messages", list[_Message], []):
        if not is_null(message.audio):
            unbounded.append("earlier audio")
        for part in read_parts(message.content, _Part):
            if part.type == "image_url":
                images.append(len(part.image_url))
            elif part.type in OPAQUE_PARTS:
                opaque.append((OPAQUE_PARTS[part.type], f"content part `{part.type}`"))
            elif part.type not in TEXT_PARTS:
                unbounded.append(f"content part `{part.type}`")
    return images, opaque, unbounded


def repeated(fields: dict[str, msgspec.Raw]) -> list[str]:
    """Name the mode of reasoning that runs a query several times over, if it is in one."""
    mode = read_field(fields, "reasoning", Reasoning, Reasoning()).mode or SINGLE_MODE
    return [] if mode == SINGLE_MODE else [f"`reasoning.mode` = `{mode}`"]


def _server_tools(fields: dict[str, msgspec.Raw]) -> list[str]:
    tools = read_field(fields, "tools", list[_Tool], [])
    return [f"tool `{t.type}`" for t in tools if t.type not in (None, "function", "custom")]
