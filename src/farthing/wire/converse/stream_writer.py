"""A stream's events, written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from farthing.wire.canon import (
    JSON,
    Citation,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Tally,
    Text,
    ToolCall,
    ToolResult,
)
from farthing.wire.codec import WireEvent
from farthing.wire.converse.answers import write_stop
from farthing.wire.converse.problems import fault_of, write_problem
from farthing.wire.converse.scribe import tool_id, write_call, write_citation
from farthing.wire.converse.streams import INDEX, PADDED, PADDING, START
from farthing.wire.converse.unions import IMPLIED, NAME
from farthing.wire.converse.usage import write_tally
from farthing.wire.crossing import Crossing
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More, Open, Shut


class _Block(msgspec.Struct):
    """A block that is being written."""

    kind: type[Part]
    index: int = -1
    """Its index on the wire; -1 while nothing was written of it."""
    grown: bool = False


class ConverseStreamWriter:
    """Writes one stream: what `metadata` says comes at its end, all at once."""

    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing
        self._blocks: dict[int, _Block] = {}
        self._written = 0
        self._calls = 0
        self._tally: Tally | None = None
        self._writers: dict[type[Event], Callable[[Any], list[WireEvent]]] = {
            Begin: self._begin,
            Open: self._open,
            More: self._more,
            Shut: self._shut,
            Finish: self._finish,
            Count: self._count,
            Fault: self._fault,
            End: self._end,
            Idle: self._idle,
        }

    def write(self, events: list[Event]) -> list[WireEvent]:
        """Return the events to send."""
        written = []
        for event in events:
            if not self._crossing.same or event.form != IMPLIED:
                written += self._writers[type(event)](event)
            elif isinstance(event, Open):
                self._blocks[event.part] = _Block(type(event.content), event.part)
        return written

    def _event(self, name: str, told: JSON, event: Event) -> list[WireEvent]:
        """Make an event; on the same dialect with all that was kept of it."""
        data = {**told, **self._crossing.rest(event, name)}
        _, padded, padding = self._crossing.form(event).partition(PADDED)
        if padded:
            data[PADDING] = padding
        return [WireEvent(data=data, name=name)]

    def _begin(self, event: Begin) -> list[WireEvent]:
        roleless = "roleless" in self._crossing.form(event).partition(PADDED)[0]
        return self._event("messageStart", {} if roleless else {"role": "assistant"}, event)

    def _open(self, event: Open) -> list[WireEvent]:
        part = event.content
        if self._crossing.same:
            return self._open_same(event)
        if event.answer:
            self._crossing.lose("n", "shape")
            return []
        if isinstance(part, Media | Opaque | ToolResult):
            self._lose_part(part)
            return []
        self._crossing.rest(event, "part")
        self._crossing.rest(part, "part")
        block = self._blocks[event.part] = _Block(type(part))
        return self._open_foreign(block, part)

    def _lose_part(self, part: Part) -> None:
        what = part.type if isinstance(part, Opaque) else type(part).__name__
        self._crossing.lose(what or "unknown part", "meaning")

    def _open_same(self, event: Open) -> list[WireEvent]:
        part = event.content
        self._blocks[event.part] = _Block(type(part), event.part)
        if isinstance(part, ToolCall):
            start: JSON = {"toolUse": {**part.rest, **write_call(part)}}
        elif isinstance(part, Opaque) and START in part.rest:
            start = part.rest[START]
        else:
            if isinstance(part, Media | Opaque | ToolResult):
                self._lose_part(part)
            return []
        return self._event("contentBlockStart", {INDEX: event.part, START: start}, event)

    def _open_foreign(self, block: _Block, part: Part) -> list[WireEvent]:
        """Begin a block: a tool call at once, another with its first text."""
        if isinstance(part, ToolCall):
            self._calls += 1
            if part.custom:
                self._crossing.lose(f"arguments of custom tool {part.name}", "meaning")
            name = tool_id(part.id) or f"tooluse_{self._calls}"
            start = {"toolUse": {"toolUseId": name, "name": part.name}}
            data = {INDEX: self._index(block), START: start}
            opened = [WireEvent(data=data, name="contentBlockStart")]
            return opened + self._delta(block, _delta_of(block.kind, part.arguments))
        if isinstance(part, Text | Reasoning | Refusal):
            written = self._delta(block, _delta_of(block.kind, part.text))
            for citation in part.citations if isinstance(part, Text) else []:
                written += self._cite(block, citation)
            if isinstance(part, Reasoning) and (part.signature or part.encrypted):
                self._crossing.lose("signature", "hint")
            return written
        return []

    def _cite(self, block: _Block, citation: Citation) -> list[WireEvent]:
        return self._delta(block, {"citation": write_citation(citation, self._crossing)})

    def _index(self, block: _Block) -> int:
        if block.index < 0:
            block.index = self._written
            self._written += 1
        return block.index

    def _delta(self, block: _Block, delta: JSON | None) -> list[WireEvent]:
        if delta is None:
            return []
        block.grown = True
        data = {INDEX: self._index(block), "delta": delta}
        return [WireEvent(data=data, name="contentBlockDelta")]

    def _more(self, event: More) -> list[WireEvent]:
        if self._crossing.same:
            told: JSON = {INDEX: event.part}
            if "delta" not in event.rest:
                told["delta"] = self._same_delta(event)
            return self._event("contentBlockDelta", told, event)
        block = self._blocks.get(event.part)
        if event.answer or block is None:
            return []
        self._crossing.rest(event, "delta")
        if event.logprobs:
            self._crossing.lose("logprobs", "shape")
        written = self._delta(block, _delta_of(block.kind, event.text))
        if event.citation is not None:
            written += self._cite(block, event.citation)
        seal = event.signature
        if seal is not None and seal.vendor == NAME and block.kind is Reasoning:
            sealed = {"reasoningContent": {"signature": seal.value}}
            written += self._delta(block, sealed)
        elif seal is not None or event.encrypted:
            self._crossing.lose("signature", "hint")
        return written

    def _same_delta(self, event: More) -> JSON:
        if event.citation is not None:
            return {"citation": write_citation(event.citation, self._crossing)}
        if event.signature is not None:
            return {"reasoningContent": {"signature": event.signature.value}}
        if event.encrypted:
            return {"reasoningContent": {"redactedContent": event.encrypted}}
        block = self._blocks.get(event.part)
        return _grown(block.kind if block else Text, event.text)

    def _shut(self, event: Shut) -> list[WireEvent]:
        if self._crossing.same:
            return self._event("contentBlockStop", {INDEX: event.part}, event)
        block = None if event.answer else self._blocks.pop(event.part, None)
        if block is None or block.index < 0:
            return []
        written: list[WireEvent] = []
        if block.kind is ToolCall and not block.grown:  # a call without arguments
            written = self._delta(block, _grown(ToolCall, "{}"))
        return [*written, WireEvent(data={INDEX: block.index}, name="contentBlockStop")]

    def _finish(self, event: Finish) -> list[WireEvent]:
        if event.answer:
            return []
        told: JSON = {"stopReason": write_stop(event.stop, self._crossing)}
        untold = "untold" in self._crossing.form(event).partition(PADDED)[0]
        return self._event("messageStop", {} if untold else told, event)

    def _count(self, event: Count) -> list[WireEvent]:
        if self._crossing.same:
            told = {"usage": write_tally(event.tally, self._crossing)}
            return self._event("metadata", told, event)
        self._crossing.rest(event, "usage")
        if event.tally.usage is not None:
            self._tally = event.tally
        return []

    def _end(self, event: End) -> list[WireEvent]:
        if self._crossing.same:
            return []
        self._crossing.rest(event, "end")
        if self._tally is None or self._tally.usage is None:
            return []
        usage = write_tally(self._tally, self._crossing)
        return [WireEvent(data={"usage": usage, "metrics": {"latencyMs": 0}}, name="metadata")]

    def _fault(self, event: Fault) -> list[WireEvent]:
        problem = event.problem
        if self._crossing.same:
            return [WireEvent(data=write_problem(problem, self._crossing), name=problem.kind)]
        self._crossing.rest(problem, "error")
        return [WireEvent(data={"message": problem.message}, name=fault_of(problem.status))]

    def _idle(self, event: Idle) -> list[WireEvent]:
        if not self._crossing.same:
            return []
        return [WireEvent(data=event.rest["data"], name=event.type)]


def _grown(kind: type[Part], text: str) -> JSON:
    """Return the delta by which a part grows."""
    if kind is ToolCall:
        return {"toolUse": {"input": text}}
    if kind is Reasoning:
        return {"reasoningContent": {"text": text}}
    return {"text": text}


def _delta_of(kind: type[Part], text: str) -> JSON | None:
    """Return the delta by which a part grows; None when it does not."""
    return _grown(kind, text) if text else None
