"""Content blocks, written."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from farthing.wire.canon import (
    JSON,
    CacheMark,
    Citation,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from farthing.wire.converse.media import write_media
from farthing.wire.converse.parts import CALL_TYPE, MARK
from farthing.wire.converse.unions import (
    NAME,
    decode,
    decode_object,
    fold,
    merge,
    split_texts,
)
from farthing.wire.crossing import Crossing, Severity

# What other dialects say of a part's place among the others.
PLACES: dict[str, Severity] = {"index": "hint", "format": "hint", "type": "hint", "status": "hint"}

LIFETIMES = ("5m", "1h")

# The pattern of a tool use's id.
_forbidden = re.compile(r"[^a-zA-Z0-9_-]").sub
LONGEST_ID = 64


class Scribe:
    """Writes the parts of one request, or of one answer."""

    def __init__(self, crossing: Crossing, *, answering: bool) -> None:
        self._crossing = crossing
        self._answering = answering
        self._made = 0
        self._unanswered: list[str] = []
        self._writers: dict[type[Part], Callable[[Any], JSON | None]] = {
            Text: self._text,
            Media: lambda part: write_media(part, crossing),
            ToolCall: self._call,
            ToolResult: self._result,
            Reasoning: self._reasoning,
            Refusal: self._refusal,
            Opaque: self._opaque,
        }

    def blocks(self, parts: list[Part]) -> list[JSON]:
        """Return the blocks of parts, with their cache marks."""
        blocks = []
        for part in parts:
            block = self._block(part)
            if block is not None:
                blocks.append(block)
                if not isinstance(part, Reasoning | Refusal | Opaque) and part.cache is not None:
                    blocks.append(write_mark(part.cache, self._crossing))
        return blocks

    def _block(self, part: Part) -> JSON | None:
        """Return a part's block; None, and a loss is named, when it cannot be said."""
        return self._writers[type(part)](part)

    def _refusal(self, part: Refusal) -> JSON | None:
        self._crossing.rest(part, "refusal")
        return {"text": part.text} if part.text else None

    def _opaque(self, part: Opaque) -> JSON | None:
        if self._crossing.same:
            return part.rest
        self._crossing.lose(part.type or "unknown part", "meaning")
        return None

    def _text(self, part: Text) -> JSON | None:
        crossing = self._crossing
        if crossing.same:
            if part.form.startswith("citations:") or part.citations:
                return self._cited(part)
            return {**part.rest, "text": part.text}
        crossing.rest(part, "text")
        if part.signature is not None:
            crossing.lose("signature", "hint")
        if not part.text:  # which this dialect refuses, and which says nothing
            return None
        if part.citations and self._answering:
            return self._cited(part)
        if part.citations:
            crossing.lose("citations", "shape")
        return {"text": part.text}

    def _cited(self, part: Text) -> JSON:
        form = self._crossing.form(part)
        told: JSON = {"content": [{"text": part.text}]}
        if form:
            told["content"] = split_texts(part.text, form.removeprefix("citations:"))
        if part.citations:
            told["citations"] = [write_citation(c, self._crossing) for c in part.citations]
        return fold("citationsContent", told, part.rest if self._crossing.same else {})

    def _call(self, call: ToolCall) -> JSON:
        crossing = self._crossing
        if crossing.same:
            told = write_call(call)
            if call.arguments:
                told["input"] = decode(call.arguments)
            elif "bare" not in call.form:
                told["input"] = {}
            return fold("toolUse", told, call.rest)
        crossing.rest(call, "tool_call", PLACES)
        if call.signature is not None:
            crossing.lose("signature", "hint")
        if call.custom:
            crossing.lose(f"arguments of custom tool {call.name}", "meaning")
            given: JSON = {"input": call.arguments}
        else:
            given = decode_object(call.arguments, f"The arguments of tool {call.name}")
        name = self._new_id() if not call.id else tool_id(call.id)
        return {"toolUse": {"toolUseId": name, "name": call.name, "input": given}}

    def _new_id(self) -> str:
        """Make an id for a call without one; results without one answer calls in order."""
        self._made += 1
        self._unanswered.append(f"tooluse_{self._made}")
        return self._unanswered[-1]

    def _result(self, result: ToolResult) -> JSON:
        crossing = self._crossing
        content = [block for part in result.parts for block in self._result_part(part)]
        if crossing.same:
            told: JSON = {"toolUseId": result.call} if result.call else {}
            if content or "content" in result.form:
                told["content"] = content
            if result.error or "status" in result.form:
                told["status"] = "error" if result.error else "success"
            return fold("toolResult", told, result.rest)
        crossing.rest(result, "tool_result")
        name = tool_id(result.call)
        if not name:
            name = self._unanswered.pop(0) if self._unanswered else "tooluse_0"
        told = {"toolUseId": name, "content": content}
        return {"toolResult": {**told, "status": "error"} if result.error else told}

    def _result_part(self, part: Part) -> list[JSON]:
        if isinstance(part, Text) and self._crossing.form(part) == "json":
            return [{**part.rest, "json": decode(part.text)}]
        if not isinstance(part, Text | Media | Refusal | Opaque):
            self._crossing.lose("part of a tool result", "meaning")
            return []
        if isinstance(part, Text | Media) and part.cache is not None:
            self._crossing.lose("cache mark in a tool result", "hint")
        block = self._block(part)
        return [] if block is None else [block]

    def _reasoning(self, part: Reasoning) -> JSON | None:
        crossing = self._crossing
        seal = part.signature
        ours = seal is not None and seal.vendor == NAME
        if not crossing.same:
            crossing.rest(part, "reasoning", PLACES)
            if not ours and (not self._answering or not part.text):
                crossing.lose("reasoning", "hint")
                return None
            if part.encrypted or (seal is not None and not ours):
                crossing.lose("signature", "hint")
        rest = part.rest if crossing.same else {}
        text: JSON = {"text": part.text} if part.text or not crossing.same else {}
        if seal is not None and ours:
            text["signature"] = seal.value
        told: JSON = {}
        if text or (crossing.same and part.form == "text"):
            told["reasoningText"] = merge(rest.get("reasoningText"), text)
        if crossing.same and part.encrypted:
            told["redactedContent"] = part.encrypted
        return fold("reasoningContent", told, rest)


def write_call(call: ToolCall) -> JSON:
    """Return who is called, and as what, of a call of this dialect's own."""
    told: JSON = {"toolUseId": call.id} if call.id else {}
    if call.name:
        told["name"] = call.name
    if "typed" in call.form:
        told["type"] = CALL_TYPE
    return told


def write_mark(mark: CacheMark, crossing: Crossing) -> JSON:
    """Return a cache mark's block."""
    rest = crossing.rest(mark, "cache mark")
    told: JSON = {} if crossing.form(mark) == "untyped" else {"type": "default"}
    if (crossing.same and mark.ttl) or mark.ttl in LIFETIMES:
        told["ttl"] = mark.ttl
    elif mark.ttl:
        crossing.lose("cache lifetime", "hint")
    return {MARK: {**rest, **told}}


def write_citation(citation: Citation, crossing: Crossing) -> JSON:
    """Return a citation, for a whole answer or for a stream."""
    rest = crossing.rest(citation, "citation")
    lengths = crossing.form(citation)
    told: JSON = {"title": citation.title} if citation.title else {}
    if lengths.startswith("quoted:"):
        told["sourceContent"] = split_texts(citation.quoted, lengths.removeprefix("quoted:"))
    elif citation.quoted:
        told["sourceContent"] = [{"text": citation.quoted}]
    if citation.url:
        told["location"] = {"web": {"url": citation.url}}
    if citation.start is not None or citation.end is not None:
        crossing.lose("place of a citation in the text", "shape")
    return merge(rest, told)


def tool_id(told: str) -> str:
    """Return a call's id as this dialect takes it; the same for a call and for its result."""
    name = _forbidden("_", told)
    if len(name) > LONGEST_ID:
        digest = sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{name[: LONGEST_ID - 33]}-{digest[:32]}"
    return name
