"""Responses requests: what decides their price, and the few changes made to them."""

from __future__ import annotations

import msgspec

from farthing.wire.chat.request import OPEN_TIERS, PLAIN_TIERS, repeated
from farthing.wire.dialect import Ask, Changes
from farthing.wire.splice import first_byte, read_field, read_object, read_parts, rebuild

# Content parts whose tokens their bytes bound.
TEXT_PARTS = frozenset({"input_text", "output_text", "text", "refusal", "summary_text",
                        "reasoning_text"})  # fmt: skip

# Content parts whose tokens no bytes bound, and the kind of each.
OPAQUE_PARTS = {"input_file": "document", "input_audio": "audio"}

# Fields whose cost lies elsewhere: what the provider keeps, or runs later.
UNBOUNDED_FIELDS = ("previous_response_id", "conversation", "prompt", "context_management")

# Tools that the client runs.
CLIENT_TOOLS = frozenset({"function", "custom"})


class _Part(msgspec.Struct):
    type: str = ""
    image_url: msgspec.Raw = msgspec.Raw()
    file_id: msgspec.Raw = msgspec.Raw()


class _Item(msgspec.Struct):
    type: str = "message"
    content: msgspec.Raw = msgspec.Raw()
    output: msgspec.Raw = msgspec.Raw()


class _Tool(msgspec.Struct):
    type: str = ""


def read_request(body: bytes) -> Ask:
    """Read what decides a responses request's price and way.

    Raises:
        Malformed: not a JSON object, or a field that decides the price is of a wrong type.
    """
    fields = read_object(body)
    images, opaque, unbounded = _media(fields)
    cap = read_field(fields, "max_output_tokens", int, 0)
    tools = read_field(fields, "tools", list[_Tool], [])
    tier = read_field(fields, "service_tier", str, "")
    if read_field(fields, "background", bool, False):
        unbounded.append("`background`")
    unbounded += repeated(fields)
    unbounded += [f"tool `{tool.type}`" for tool in tools if tool.type not in CLIENT_TOOLS]
    return Ask(
        body=body,
        fields=fields,
        model=read_field(fields, "model", str, ""),
        stream=read_field(fields, "stream", bool, False),
        output_cap=cap if cap > 0 else None,
        cache_marks=True,  # the provider writes to its caches unasked
        tools=bool(tools),
        images=len(images),
        opaque_bytes=sum(images),
        opaque=tuple(opaque),
        options={} if tier in PLAIN_TIERS else {"service_tier": tier},
        open_tier=tier in OPEN_TIERS,
        unbounded=tuple(unbounded),
    )


def write_request(ask: Ask, changes: Changes) -> bytes:
    """Return the request to send: the client's bytes but for the changes."""
    new: dict[str, bytes] = {}
    if changes.model is not None:
        new["model"] = msgspec.json.encode(changes.model)
    if changes.output_cap is not None:
        new["max_output_tokens"] = b"%d" % changes.output_cap
    return rebuild(ask.body, ask.fields, new)


def _media(
    fields: dict[str, msgspec.Raw],
) -> tuple[list[int], list[tuple[str, str]], list[str]]:
    """Return each image's size, what other content is opaque, and what has no bound at all."""
    images: list[int] = []
    opaque: list[tuple[str, str]] = []
    unbounded = [f"`{name}`" for name in UNBOUNDED_FIELDS if _said(fields, name)]
    if first_byte(fields.get("input", msgspec.Raw())) != b"[":
        return images, opaque, unbounded
    for item in read_field(fields, "input", list[_Item], []):
        if item.type == "item_reference":
            unbounded.append("an `item_reference`")
        for content in (item.content, item.output):
            for part in read_parts(content, _Part):
                if part.type == "input_image":
                    images.append(len(part.image_url))
                elif part.type in OPAQUE_PARTS:
                    opaque.append((OPAQUE_PARTS[part.type], f"content part `{part.type}`"))
                elif part.type not in TEXT_PARTS:
                    unbounded.append(f"content part `{part.type}`")
    return images, opaque, unbounded


def _said(fields: dict[str, msgspec.Raw], name: str) -> bool:
    return name in fields and first_byte(fields[name]) != b"n"
