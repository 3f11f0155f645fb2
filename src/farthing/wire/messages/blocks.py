"""Parts as content blocks: writing them."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable
from typing import Any, NoReturn

from farthing.errors import Malformed
from farthing.wire.canon import (
    JSON,
    CacheMark,
    Citation,
    Media,
    Node,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from farthing.wire.crossing import Crossing
from farthing.wire.messages.parts import DIALECT, SOURCES, TITLED, overlay

# How the images begin that may be sent, in base64.
BEGINNINGS = {
    "iVBOR": "image/png",
    "/9j/": "image/jpeg",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
}
IMAGES = frozenset(BEGINNINGS.values())
PDF = "application/pdf"
LIFETIMES = frozenset({"5m", "1h"})

_foreign = re.compile(r"[^a-zA-Z0-9_-]").sub


def call_id(told: str, name: str) -> str:
    """Return a call's id in the letters that this dialect allows; the same for its result."""
    if not told:
        return "toolu_" + _foreign("_", name)
    clean = _foreign("_", told)
    return clean if clean == told else f"{clean}_{zlib.crc32(told.encode(errors='replace')):08x}"


def parse(arguments: str) -> JSON:
    """Return a call's arguments as an object.

    Raises:
        Malformed: they are none.
    """
    if not arguments:
        return {}
    try:
        value = json.loads(arguments, parse_constant=_no_number)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Malformed(
            "invalid_field", "A tool call's arguments are not a JSON object; send one that is."
        )
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


class Blocks:
    """Writes the parts of one request, or of one answer, as content blocks."""

    def __init__(self, crossing: Crossing, *, answer: bool = False) -> None:
        self._crossing = crossing
        self._answer = answer
        self._writers: dict[type[Node], Callable[[Any], JSON | None]] = {
            Text: self._text,
            Media: self._media,
            ToolCall: self._call,
            ToolResult: self._result,
            Reasoning: self._reasoning,
            Refusal: self._refusal,
            Opaque: self._opaque,
        }

    def write(self, parts: list[Part]) -> list[JSON]:
        """Return the blocks of those parts that this dialect can say; the others are losses."""
        blocks = [self.block(part) for part in parts]
        return [block for block in blocks if block is not None]

    def block(self, part: Part) -> JSON | None:
        """Return a part as a block, or None, and a loss, where there is none for it."""
        return self._writers[type(part)](part)

    def _finish(self, block: JSON, part: Node, cache: CacheMark | None = None) -> JSON:
        if cache is not None and not (self._answer and not self._crossing.same):
            block["cache_control"] = self.cache(cache)
        return overlay(block, self._crossing.rest(part, block["type"]))

    def cache(self, cache: CacheMark) -> JSON:
        """Return a cache mark."""
        mark = {"type": "ephemeral"}
        if self._crossing.same or cache.ttl in LIFETIMES:
            mark |= {"ttl": cache.ttl} if cache.ttl else {}
        elif cache.ttl:
            self._crossing.lose("cache lifetime", "hint")
        return mark | self._crossing.rest(cache, "cache", {"scope": "hint"})

    def _text(self, part: Text) -> JSON | None:
        if not (self._crossing.same or self._answer or part.text.strip()):
            return None  # the provider refuses blank text; nothing is lost with it
        if part.signature is not None and not self._crossing.same:
            self._crossing.lose("reasoning signature", "hint")
        block: JSON = {"type": "text", "text": part.text}
        written = [self.citation(citation) for citation in part.citations]
        citations = [citation for citation in written if citation is not None]
        if citations or self._crossing.form(part) == "citations":
            block["citations"] = citations
        return self._finish(block, part, part.cache)

    def citation(self, citation: Citation) -> JSON | None:
        """Return a citation; one from elsewhere has none of the seals that a request must send."""
        if self._crossing.same:
            named = "title" if citation.form in TITLED else "document_title"
            told = {
                "type": citation.form,
                "url": citation.url,
                named: citation.title,
                "cited_text": citation.quoted,
            }
            return {**{key: value for key, value in told.items() if value}, **citation.rest}
        if not (self._answer and citation.url):
            self._crossing.lose("citations", "shape")
            return None
        if citation.start is not None:
            self._crossing.lose("the places of citations", "shape")
        self._crossing.rest(citation, "citation")
        return {
            "type": "web_search_result_location",
            "url": citation.url,
            "title": citation.title,
            "cited_text": citation.quoted,
            "encrypted_index": "",
        }

    def _media(self, part: Media) -> JSON | None:
        form = self._crossing.form(part)
        source = self._source(part, form) if form else self._foreign_source(part)
        if source is None:
            return None
        block: JSON = {"type": part.kind, "source": source}
        if part.name and (self._crossing.same or part.kind == "document"):
            block["title"] = part.name
        if part.detail not in ("", "auto"):
            self._crossing.lose("detail", "hint")
        return self._finish(block, part, part.cache)

    def _source(self, part: Media, form: str) -> JSON:
        kept = part.rest.get("source")
        if isinstance(kept, dict) and "content" in kept:
            return kept
        theirs, ours = SOURCES[form]
        source = {"type": form, theirs: getattr(part, ours)}
        return {**source, "media_type": part.mime} if part.mime else source

    def _foreign_source(self, part: Media) -> JSON | None:
        """Return the source of media that another dialect told, if it can be said here."""
        if part.url.startswith(("https://", "http://")) and part.kind in ("image", "document"):
            return {"type": "url", "url": part.url}
        source = None
        if part.data and part.kind == "image":
            source = _image(part)
        elif part.data and part.kind == "document":
            source = _document(part)
        if source is None:
            what = part.mime or ("file id" if part.file else "other source")
            self._crossing.lose(f"{part.kind} ({what})", "meaning")
        return source

    def _call(self, part: ToolCall) -> JSON | None:
        if part.custom:
            self._crossing.lose("call of a custom tool", "meaning")
            return None
        if part.signature is not None and part.signature.vendor != DIALECT:
            self._crossing.lose("reasoning signature", "hint")
        form = self._crossing.form(part).split()
        same = self._crossing.same
        block: JSON = {"type": "tool_use", "name": part.name}
        block["id"] = part.id if same else call_id(part.id, part.name)
        if "bare" not in form:
            block["input"] = parse(part.arguments)
        if "direct" in form:
            block["caller"] = {"type": "direct"}
        return self._finish(block, part, part.cache)

    def _result(self, part: ToolResult) -> JSON:
        form = self._crossing.form(part).split()
        same = self._crossing.same
        block: JSON = {"type": "tool_result"}
        block["tool_use_id"] = part.call if same else call_id(part.call, part.name)
        inner = [p for p in part.parts if same or self._may_stand_in_result(p)]
        content = self.write(inner)
        only_text = len(content) == 1 and content[0].keys() == {"type", "text"}
        if "string" in form or (not same and only_text):
            block["content"] = content[0]["text"]
        elif "blocks" in form or content:
            block["content"] = content
        if part.error or "is_error" in form:
            block["is_error"] = part.error
        return self._finish(block, part, part.cache)

    def _may_stand_in_result(self, part: Part) -> bool:
        if isinstance(part, Text | Media | Refusal):
            return True
        what = part.type if isinstance(part, Opaque) else type(part).__name__
        self._crossing.lose(f"{what} in a tool's result", "meaning")
        return False

    def _reasoning(self, part: Reasoning) -> JSON | None:
        form = self._crossing.form(part)
        if form == "redacted":
            return self._finish({"type": "redacted_thinking", "data": part.encrypted}, part)
        block: JSON = {"type": "thinking", "thinking": part.text}
        if part.signature is not None and part.signature.vendor == DIALECT:
            block["signature"] = part.signature.value
        elif not self._crossing.same:
            if not (self._answer and part.text):
                self._crossing.lose("reasoning", "hint")
                return None
            block["signature"] = ""
            if part.signature is not None or part.encrypted:
                self._crossing.lose("reasoning signature", "hint")
        elif form == "unsigned":
            block["signature"] = ""
        return self._finish(block, part)

    def _refusal(self, part: Refusal) -> JSON | None:
        return self._text(Text(text=part.text, rest=part.rest))

    def _opaque(self, part: Opaque) -> JSON | None:
        if self._crossing.same:
            return part.rest
        self._crossing.lose(f"part `{part.type}`", "meaning")
        return None


def _image(part: Media) -> JSON | None:
    found = (mime for start, mime in BEGINNINGS.items() if part.data.startswith(start))
    mime = part.mime or next(found, "")
    if mime not in IMAGES:
        return None
    return {"type": "base64", "media_type": mime, "data": part.data}


def _document(part: Media) -> JSON | None:
    mime = part.mime or (PDF if part.data.startswith("JVBERi0") else "")
    if mime == PDF:
        return {"type": "base64", "media_type": PDF, "data": part.data}
    if not mime.startswith("text/"):
        return None
    if part.form == "text":
        text = part.data
    else:
        try:
            text = base64.b64decode(part.data, validate=True).decode()
        except (binascii.Error, ValueError):
            return None
    return {"type": "text", "media_type": "text/plain", "data": text}
