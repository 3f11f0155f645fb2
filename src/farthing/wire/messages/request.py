"""Messages requests: what decides their price, and the few changes made to them."""

from __future__ import annotations

import msgspec

from farthing.wire.dialect import Ask, Changes
from farthing.wire.splice import is_null, read_field, read_object, read_parts, rebuild

# Content blocks whose tokens their bytes bound.
TEXT_BLOCKS = frozenset(
    {"text", "thinking", "redacted_thinking", "tool_use", "tool_result", "search_result"}
)

# Fields that buy something farthing cannot bound yet: tools that run at the provider.
UNBOUNDED_FIELDS = ("mcp_servers", "container")

# Tools of the provider's own design that the client runs, by the start of their type.
CLIENT_TOOLS = ("bash_", "text_editor_", "computer_", "memory_")

PLAIN_TIERS = frozenset({"", "auto", "standard", "standard_only", "default"})
PLAIN_GEOGRAPHIES = frozenset({"", "global", "not_available"})


class _Source(msgspec.Struct):
    type: str = ""
    content: msgspec.Raw = msgspec.Raw()


class _Block(msgspec.Struct):
    type: str = ""
    source: msgspec.Raw = msgspec.Raw()
    citations: msgspec.Raw = msgspec.Raw()
    content: msgspec.Raw = msgspec.Raw()


class _Message(msgspec.Struct):
    content: msgspec.Raw = msgspec.Raw()


class _Tool(msgspec.Struct):
    type: str | None = None


class _Thinking(msgspec.Struct):
    budget_tokens: int | None = None


def read_request(body: bytes) -> Ask:
    """Read what decides a messages request's price and way.

    Raises:
        Malformed: not a JSON object, or a field that decides the price is of a wrong type.
    """
    fields = read_object(body)
    cap = read_field(fields, "max_tokens", int, 0)
    thinking = read_field(fields, "thinking", _Thinking, _Thinking())
    media = _media(fields)
    tools = read_field(fields, "tools", list[_Tool], [])
    return Ask(
        body=body,
        fields=fields,
        model=read_field(fields, "model", str, ""),
        stream=read_field(fields, "stream", bool, False),
        output_cap=cap if cap > 0 else None,
        least_output=max(0, thinking.budget_tokens or 0) + 1,
        # A name may be written with escapes, so any escape counts as a mark.
        cache_marks=b'"cache_control"' in body or b"\\u" in body,
        tools=bool(tools),
        images=len(media.images),
        opaque_bytes=sum(media.images),
        opaque=tuple(media.opaque),
        options=_options(fields),
        unbounded=tuple(media.unbounded + _server_tools(tools)),
    )


def write_request(ask: Ask, changes: Changes) -> bytes:
    """Return the request to send: the client's bytes but for the changes."""
    new: dict[str, bytes] = {}
    if changes.model is not None:
        new["model"] = msgspec.json.encode(changes.model)
    if changes.output_cap is not None:
        new["max_tokens"] = b"%d" % changes.output_cap
    return rebuild(ask.body, ask.fields, new)


def _options(fields: dict[str, msgspec.Raw]) -> dict[str, str]:
    told = {
        "service_tier": (read_field(fields, "service_tier", str, ""), PLAIN_TIERS),
        "speed": (read_field(fields, "speed", str, ""), PLAIN_TIERS),
        "inference_geo": (read_field(fields, "inference_geo", str, ""), PLAIN_GEOGRAPHIES),
    }
    return {name: value for name, (value, plain) in told.items() if value not in plain}


class _Media:
    """The size of each image, what other content is opaque, and what has no bound at all."""

    def __init__(self) -> None:
        self.images: list[int] = []
        self.opaque: list[tuple[str, str]] = []
        self.unbounded: list[str] = []

    def look(self, content: msgspec.Raw) -> None:
        """Look through a content, the results of tools included."""
        for block in read_parts(content, _Block):
            if block.type == "image":
                self.images.append(len(block.source))
            elif block.type == "document":
                self._document(block)
            elif block.type not in TEXT_BLOCKS:
                self.unbounded.append(f"content block `{block.type}`")
            else:
                self.look(block.content)

    def _document(self, block: _Block) -> None:
        """Bytes bound a document whose text stands in the request; to be cited it is cut into
        sentences, each with tokens of its own.

        https://docs.anthropic.com/en/docs/build-with-claude/citations
        """
        source = read_field({"source": block.source}, "source", _Source, _Source())
        if source.type == "content":
            self.look(source.content)
        elif source.type != "text" or not is_null(block.citations):
            self.opaque.append(("document", "content block `document`"))


def _media(fields: dict[str, msgspec.Raw]) -> _Media:
    media = _Media()
    media.unbounded += [f"`{name}`" for name in UNBOUNDED_FIELDS if name in fields]
    if b"compact" in bytes(fields.get("context_management", b"")):
        media.unbounded.append("compaction in `context_management`")
    for message in read_field(fields, "messages", list[_Message], []):
        media.look(message.content)
    return media


def _server_tools(tools: list[_Tool]) -> list[str]:
    return [
        f"tool `{tool.type}`"
        for tool in tools
        if tool.type not in (None, "custom") and not tool.type.startswith(CLIENT_TOOLS)
    ]
