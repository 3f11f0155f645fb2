"""Content blocks as parts: reading them.

A block that is not of its documented shape is Opaque, and stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from farthing.errors import Malformed
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
from farthing.wire.take import Taker

DIALECT: Final = "messages"

# Where each kind of source keeps what it is about, and where a Media keeps it.
SOURCES = {
    "base64": ("data", "data"),
    "text": ("data", "data"),
    "url": ("url", "url"),
    "file": ("file_id", "file"),
}

# The citations that call a title just so; the others say of which document it is.
TITLED = frozenset({"web_search_result_location", "search_result_location"})


def word(taker: Taker, key: str) -> str:
    """Return and remove a string; an empty one stays, as it would not be written back."""
    return taker.take(key, str, "") if taker.left.get(key) != "" else ""


def lacking(taker: Taker, constants: Mapping[str, Any]) -> str:
    """Remove what always has the same value; return the keys that do not, as a `form`."""
    words = []
    for key, value in constants.items():
        if key in taker.left and taker.left[key] == value:
            del taker.left[key]
        else:
            words.append(key)
    return " ".join(words)


def overlay(out: JSON, rest: JSON) -> JSON:
    """Put what was not understood back over what was, one object deep."""
    for key, value in rest.items():
        inner = out.get(key)
        if isinstance(inner, dict) and isinstance(value, dict):
            out[key] = {**inner, **value}
        else:
            out[key] = value
    return out


def read_content(blocks: list[JSON]) -> list[Part]:
    """Read the content of a message."""
    return [read_part(block) for block in blocks]


def read_part(block: JSON) -> Part:
    """Read one content block."""
    return _read(block, READERS)


def _read(block: JSON, readers: Mapping[str, Callable[[Taker], Part | None]]) -> Part:
    taker = Taker(block, "content block")
    kind = taker.take("type", str, "")
    reader = readers.get(kind)
    part = reader(taker) if reader else None
    return part if part is not None else Opaque(type=kind, rest=block)


def read_cache(taker: Taker) -> CacheMark | None:
    """Take a cache mark."""
    value = taker.left.get("cache_control")
    if not isinstance(value, dict) or value.get("type") != "ephemeral":
        return None
    del taker.left["cache_control"]
    inner = Taker(value)
    del inner.left["type"]
    return CacheMark(ttl=word(inner, "ttl"), rest=inner.left)


def read_citation(value: JSON) -> Citation:
    """Read a citation; the places it tells are the source's, not the answer's, and stay."""
    taker = Taker(value, "citation")
    form = word(taker, "type")
    return Citation(
        form=form,
        url=word(taker, "url"),
        title=word(taker, "title" if form in TITLED else "document_title"),
        quoted=word(taker, "cited_text"),
        rest=taker.left,
    )


def _text(taker: Taker) -> Part | None:
    text = taker.maybe("text", str)
    if text is None:
        return None
    citations = taker.objects("citations")
    return Text(
        text=text,
        citations=[read_citation(citation) for citation in citations or []],
        cache=read_cache(taker),
        form="citations" if citations == [] else "",
        rest=taker.left,
    )


def _media(kind: MediaKind, taker: Taker) -> Part | None:
    source = taker.maybe("source", dict)
    if source is None:
        return None
    inner = Taker(source)
    form = word(inner, "type")
    media = Media(kind=kind, form=form, rest=taker.left)
    if form == "content":
        if not _plain_content(media, source):
            return None
    else:
        theirs, ours = SOURCES.get(form, ("", ""))
        value = word(inner, theirs)
        if not value:
            return None
        setattr(media, ours, value)
        media.mime = word(inner, "media_type")
        if inner.left:
            taker.left["source"] = inner.left
    media.name = word(taker, "title")
    media.cache = read_cache(taker)
    return media


def _plain_content(media: Media, source: JSON) -> bool:
    """Read a document made of blocks, if all of them are text; the source stays beside it."""
    content = source.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(blocks, list):
        return False
    texts = [block.get("text") for block in blocks if isinstance(block, dict)]
    if len(texts) != len(blocks) or not all(isinstance(text, str) for text in texts):
        return False
    media.data = "\n".join(text for text in texts if isinstance(text, str))
    media.mime, media.form = "text/plain", "text"
    media.rest["source"] = source
    return True


def _tool_use(taker: Taker) -> Part | None:
    call, name = word(taker, "id"), word(taker, "name")
    if not (call and name):
        return None
    words = []
    if taker.left.get("caller") == {"type": "direct"}:
        del taker.left["caller"]
        words.append("direct")
    told = taker.maybe("input", dict)
    if told is None:
        words.append("bare")
    return ToolCall(
        id=call,
        name=name,
        arguments="" if told is None else encode(told),
        cache=read_cache(taker),
        form=" ".join(words),
        rest=taker.left,
    )


def encode(value: JSON) -> str:
    """Return a tool's input as JSON text.

    Raises:
        Malformed: it is nested too deeply.
    """
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (RecursionError, ValueError) as error:
        raise Malformed("invalid_field", "A tool's `input` is nested too deeply.") from error


def _tool_result(taker: Taker) -> Part | None:
    call = word(taker, "tool_use_id")
    if not call:
        return None
    told = taker.maybe("is_error", bool)
    words = ["is_error"] if told is False else []
    parts: list[Part] = []
    content = taker.maybe("content", str)
    if content is not None:
        parts, words = [Text(text=content)], [*words, "string"]
    elif (blocks := taker.objects("content")) is not None:
        parts, words = [_read(block, INNER) for block in blocks], [*words, "blocks"]
    return ToolResult(
        call=call,
        parts=parts,
        error=told is True,
        cache=read_cache(taker),
        form=" ".join(words),
        rest=taker.left,
    )


def _thinking(taker: Taker) -> Part | None:
    text = taker.maybe("thinking", str)
    if text is None:
        return None
    seal = taker.maybe("signature", str)
    return Reasoning(
        text=text,
        signature=Signature(value=seal, vendor=DIALECT) if seal else None,
        form="unsigned" if seal == "" else "",
        rest=taker.left,
    )


def _redacted(taker: Taker) -> Part | None:
    data = word(taker, "data")
    return Reasoning(encrypted=data, form="redacted", rest=taker.left) if data else None


# What may stand in a tool's result.
INNER: dict[str, Callable[[Taker], Part | None]] = {
    "text": _text,
    "image": lambda taker: _media("image", taker),
    "document": lambda taker: _media("document", taker),
}

READERS: dict[str, Callable[[Taker], Part | None]] = {
    **INNER,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
}
