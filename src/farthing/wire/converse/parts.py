"""Content blocks, read.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import get_args

from farthing.wire.canon import (
    JSON,
    CacheMark,
    Citation,
    Media,
    MediaKind,
    Opaque,
    Part,
    Reasoning,
    Signature,
    Text,
    ToolCall,
    ToolResult,
)
from farthing.wire.converse.media import read_media
from farthing.wire.converse.unions import (
    NAME,
    encode,
    filled,
    folded,
    join_texts,
    unfold,
)
from farthing.wire.take import Taker

MARK = "cachePoint"
CALL_TYPE = "tool_use"


def read_parts(blocks: list[JSON]) -> list[Part]:
    """Read a message's content; a cache mark belongs to the part before it."""
    parts: list[Part] = []
    for block in blocks:
        mark = read_mark(block)
        if mark is None or not parts or not _holds(parts[-1], mark):
            parts.append(read_part(block))
    return parts


def _holds(part: Part, mark: CacheMark) -> bool:
    """Give a part its mark; False when it has one already, or can have none."""
    if not isinstance(part, Text | Media | ToolCall | ToolResult) or part.cache is not None:
        return False
    part.cache = mark
    return True


def read_part(block: JSON) -> Part:
    """Read one block."""
    if isinstance(block.get("text"), str):
        return Text(text=block["text"], rest=_without(block, "text"))
    for reader in READERS:
        part = reader(block)
        if part is not None:
            return part
    return read_opaque(block)


def read_opaque(block: JSON) -> Opaque:
    """Keep a block that the canonical model has not."""
    return Opaque(type=next(iter(block), ""), rest=block)


def read_mark(block: JSON) -> CacheMark | None:
    """Read a cache mark; None when the block is none."""
    inner = block.get(MARK)
    if len(block) != 1 or not isinstance(inner, dict):
        return None
    left = Taker(inner)
    mark = CacheMark(ttl=filled(left, "ttl"))
    if inner.get("type") == "default":
        del left.left["type"]
    else:
        mark.form = "untyped"
    mark.rest = left.left
    return mark


def _without(block: JSON, key: str) -> JSON:
    return {name: value for name, value in block.items() if name != key}


def _read_call(block: JSON) -> ToolCall | None:
    found = unfold(block, "toolUse")
    if found is None:
        return None
    inner, outer = found
    call = ToolCall(id=filled(inner, "toolUseId"), name=filled(inner, "name"))
    if inner.left.get("input") is not None:
        call.arguments = encode(inner.left.pop("input"))
    else:
        call.form = "bare"
    call.form += read_type(inner)
    call.rest = folded(inner, outer)
    return call


def read_type(inner: Taker) -> str:
    """Take the type of a tool use, which AWS tells now and then; return the form for it."""
    if inner.left.get("type") != CALL_TYPE:
        return ""
    del inner.left["type"]
    return " typed"


def _read_result(block: JSON) -> ToolResult | None:
    found = unfold(block, "toolResult")
    if found is None:
        return None
    inner, outer = found
    result = ToolResult(call=filled(inner, "toolUseId"))
    content = inner.objects("content")
    if content is not None:
        result.parts = [_read_result_part(item) for item in content]
        result.form = "content"
    if inner.left.get("status") in ("success", "error"):
        result.error = inner.left.pop("status") == "error"
        result.form += " status"
    result.rest = folded(inner, outer)
    return result


def _read_result_part(block: JSON) -> Part:
    """Read a block of a result: there is no result within a result."""
    if isinstance(block.get("text"), str):
        return Text(text=block["text"], rest=_without(block, "text"))
    if block.get("json") is not None:
        return Text(text=encode(block["json"]), form="json", rest=_without(block, "json"))
    for kind in MEDIA:
        media = read_media(kind, block)
        if media is not None:
            return media
    return read_opaque(block)


def _read_reasoning(block: JSON) -> Reasoning | None:
    found = unfold(block, "reasoningContent")
    if found is None:
        return None
    inner, outer = found
    reasoning = Reasoning(encrypted=filled(inner, "redactedContent"))
    told = inner.left.get("reasoningText")
    if isinstance(told, dict):
        text = Taker(told)
        reasoning.text = filled(text, "text")
        reasoning.signature = read_signature(filled(text, "signature"))
        reasoning.form = "text"
        del inner.left["reasoningText"]
        if text.left:
            inner.left["reasoningText"] = text.left
    reasoning.rest = folded(inner, outer)
    return reasoning


def read_signature(value: str) -> Signature | None:
    """Return a seal of this dialect's; None for none."""
    return Signature(value=value, vendor=NAME) if value else None


def _read_cited(block: JSON) -> Text | None:
    """Read a text with its citations; one whose text is not plain stays opaque."""
    found = unfold(block, "citationsContent")
    if found is None:
        return None
    inner, outer = found
    pieces = join_texts(inner.left.get("content"))
    if pieces is None:
        return None
    del inner.left["content"]
    text = Text(text=pieces[0], form=f"citations:{pieces[1]}")
    if inner.left.get("citations"):
        text.citations = [read_citation(item) for item in inner.objects("citations") or []]
    text.rest = folded(inner, outer)
    return text


def read_citation(told: JSON) -> Citation:
    """Read a citation, of a whole answer or of a stream."""
    taker = Taker(told)
    citation = Citation(title=filled(taker, "title"))
    pieces = join_texts(taker.left.get("sourceContent"))
    if pieces is not None:
        del taker.left["sourceContent"]
        citation.quoted, citation.form = pieces[0], f"quoted:{pieces[1]}"
    web = taker.left.get("location")
    web = web.get("web") if isinstance(web, dict) and list(web) == ["web"] else None
    if isinstance(web, dict):
        inner = Taker(web)
        citation.url = filled(inner, "url")
        if citation.url:
            del taker.left["location"]
        if citation.url and inner.left:
            taker.left["location"] = {"web": inner.left}
    citation.rest = taker.left
    return citation


MEDIA: tuple[MediaKind, ...] = get_args(MediaKind)

READERS: tuple[Callable[[JSON], Part | None], ...] = (
    _read_call,
    _read_result,
    _read_reasoning,
    _read_cited,
    *(partial(read_media, kind) for kind in MEDIA),
)
