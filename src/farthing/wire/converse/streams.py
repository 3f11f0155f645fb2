"""A stream's events, read.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from farthing.wire.canon import JSON, Opaque, Part, Reasoning, Stop, Text, ToolCall
from farthing.wire.codec import WireEvent
from farthing.wire.converse.answers import read_stop
from farthing.wire.converse.parts import read_citation, read_signature, read_type
from farthing.wire.converse.problems import FAULTS, read_problem
from farthing.wire.converse.unions import IMPLIED, NAME, filled
from farthing.wire.converse.usage import read_tally
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More, Open, Shut
from farthing.wire.take import Taker

INDEX = "contentBlockIndex"
START = "start"

PADDING = "p"
"""Each event has a text of random length, which hides the lengths of tokens from those who watch
the traffic. It says nothing, so it stands in a node's form and is no loss elsewhere."""

PADDED = "p="


class _Block(msgspec.Struct):
    """A block that is open."""

    part: int
    kind: type[Part]


class ConverseStreamReader:
    """Reads one stream. Only tools have a start event: other blocks open with their first delta."""

    def __init__(self) -> None:
        self._begun = False
        self._finished = False
        self._ended = False
        self._parts = 0
        self._open: dict[int, _Block] = {}
        self._readers = {
            "messageStart": self._start,
            "contentBlockStart": self._open_block,
            "contentBlockDelta": self._delta,
            "contentBlockStop": self._shut,
            "messageStop": self._stop,
            "metadata": self._metadata,
        }

    def rest(self) -> list[Event]:
        """Nothing is held back."""
        return []

    def read(self, event: WireEvent) -> list[Event]:
        """Return what an event says."""
        data = event.data
        if event.name in FAULTS or event.name.endswith("Exception"):
            problem = read_problem(FAULTS.get(event.name, 500), data)
            problem.kind = event.name
            return [Fault(problem=problem)]
        reader = self._readers.get(event.name)
        events = reader(data) if reader and isinstance(data, dict) else None
        if events is None:
            return [Idle(type=event.name, rest={"data": data})]
        if not self._begun:
            self._begun = True
            events.insert(0, Begin(dialect=NAME, form=IMPLIED))
        return events

    def _start(self, data: JSON) -> list[Event] | None:
        if self._begun:
            return None
        self._begun = True
        taker, form = _unpadded(data)
        if taker.left.get("role") == "assistant":
            del taker.left["role"]
        else:
            form = f"roleless {form}"
        return [Begin(dialect=NAME, rest=taker.left, form=form)]

    def _open_block(self, data: JSON) -> list[Event] | None:
        index = data.get(INDEX)
        if self._finished or type(index) is not int or index in self._open:
            return None
        if START not in data:
            return None
        taker, form = _unpadded(data)
        content = _read_start(taker.left.pop(START))
        block = self._new(index, type(content))
        rest = _unindexed(taker, block.part)
        return [Open(answer=0, part=block.part, content=content, rest=rest, form=form)]

    def _new(self, index: int, kind: type[Part]) -> _Block:
        block = _Block(self._parts, kind)
        self._open[index] = block
        self._parts += 1
        return block

    def _delta(self, data: JSON) -> list[Event] | None:
        index = data.get(INDEX)
        if self._finished or type(index) is not int or "delta" not in data:
            return None
        taker, form = _unpadded(data)
        kind, more = _read_delta(taker.left.get("delta"))
        events: list[Event] = []
        block = self._open.get(index)
        if block is None:
            block = self._new(index, kind)
            content = _empty(kind)
            events.append(Open(answer=0, part=block.part, content=content, form=IMPLIED))
        if block.kind is kind and kind is not Opaque:
            del taker.left["delta"]
        else:  # it does not belong to this block, or is not known: it stays as it is
            more = More(answer=0, part=0)
        more.part, more.rest = block.part, {**_unindexed(taker, block.part), **more.rest}
        more.form = form
        events.append(more)
        return events

    def _shut(self, data: JSON) -> list[Event] | None:
        index = data.get(INDEX)
        block = self._open.pop(index, None) if type(index) is int else None
        if block is None:
            return None
        taker, form = _unpadded(data)
        rest = _unindexed(taker, block.part)
        return [Shut(answer=0, part=block.part, rest=rest, form=form)]

    def _stop(self, data: JSON) -> list[Event] | None:
        if self._finished:
            return None
        self._finished = True
        parts = sorted(block.part for block in self._open.values())
        self._open.clear()
        events: list[Event] = [Shut(answer=0, part=part, form=IMPLIED) for part in parts]
        taker, form = _unpadded(data)
        stop = read_stop(taker)
        if stop is None:
            form = f"untold {form}"
        stop = stop or Stop(kind="other")
        events.append(Finish(answer=0, stop=stop, rest=taker.left, form=form))
        return events

    def _metadata(self, data: JSON) -> list[Event] | None:
        if self._ended:
            return None
        self._ended = True
        taker, form = _unpadded(data)
        usage = taker.left.get("usage")
        if not isinstance(usage, dict):
            return [Idle(type="metadata", rest={"data": data}), End()]
        del taker.left["usage"]
        return [Count(tally=read_tally(usage), rest=taker.left, form=form), End()]


def _unpadded(data: JSON) -> tuple[Taker, str]:
    """Return an event without its padding, and the form that remembers it."""
    taker = Taker(data)
    padding = taker.maybe(PADDING, str)
    return taker, "" if padding is None else PADDED + padding


def _unindexed(taker: Taker, part: int) -> JSON:
    """Return what is left of an event; its index is left where it is not the part's."""
    if taker.left.get(INDEX) == part:
        del taker.left[INDEX]
    return taker.left


def _read_start(start: Any) -> ToolCall | Opaque:
    """Read the start of a tool call, or keep that of something else."""
    told = start.get("toolUse") if isinstance(start, dict) and len(start) == 1 else None
    if not isinstance(told, dict):
        kind = next(iter(start), "") if isinstance(start, dict) else ""
        return Opaque(type=kind, rest={START: start})
    inner = Taker(told)
    call = ToolCall(id=filled(inner, "toolUseId"), name=filled(inner, "name"))
    call.form = read_type(inner)
    call.rest = inner.left
    return call


def _read_delta(delta: Any) -> tuple[type[Part], More]:
    """Return the kind of part that grows, and by what; Opaque when it is not known."""
    more = More(answer=0, part=0)
    if not isinstance(delta, dict) or len(delta) != 1:
        return Opaque, more
    key, value = next(iter(delta.items()))
    if key == "text" and isinstance(value, str):
        more.text = value
        return Text, more
    if key == "toolUse" and isinstance(value, dict) and _only_text(value, "input"):
        more.text = value["input"]
        return ToolCall, more
    if key == "citation" and isinstance(value, dict):
        more.citation = read_citation(value)
        return Text, more
    if key == "reasoningContent" and isinstance(value, dict):
        return _read_reasoning(value, more)
    return Opaque, more


def _read_reasoning(value: JSON, more: More) -> tuple[type[Part], More]:
    if _only_text(value, "text"):
        more.text = value["text"]
    elif _only_text(value, "signature") and value["signature"]:
        more.signature = read_signature(value["signature"])
    elif _only_text(value, "redactedContent") and value["redactedContent"]:
        more.encrypted = value["redactedContent"]
    else:
        return Opaque, more
    return Reasoning, more


def _only_text(value: JSON, key: str) -> bool:
    return len(value) == 1 and isinstance(value.get(key), str)


def _empty(kind: type[Part]) -> Part:
    if kind is ToolCall:
        return ToolCall(id="", name="")
    if kind is Reasoning:
        return Reasoning()
    return Text(text="") if kind is Text else Opaque(type="contentBlockDelta")
