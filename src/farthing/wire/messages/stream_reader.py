"""Messages streams: reading them.

https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from farthing.wire.canon import JSON, Node, Reasoning, Signature, Text, ToolCall
from farthing.wire.codec import WireEvent
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More, Open, Shut
from farthing.wire.messages.answers import CONSTANTS, read_stop, read_tally
from farthing.wire.messages.parts import (
    DIALECT,
    lacking,
    read_citation,
    read_part,
    word,
)
from farthing.wire.messages.problems import STATUSES, read_problem
from farthing.wire.take import Taker

# Which delta is more of the text of which part, and the key it has it in.
DELTAS: dict[type[Node], tuple[str, str]] = {
    Text: ("text_delta", "text"),
    ToolCall: ("input_json_delta", "partial_json"),
    Reasoning: ("thinking_delta", "thinking"),
}

# What a message has when it begins.
BLANK: JSON = {
    **CONSTANTS,
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "stop_details": None,
}

# What stands beside a stop reason, mostly null; the form of a Finish names the nulls there were.
BESIDE = ("stop_sequence", "stop_details", "container")

# The form of an event whose name was not its type: it had none, or it is kept as it was.
UNNAMED, RAW = "unnamed", "raw"

# The form of a part's end that was told before that of an earlier part.
LATE = "late"


class Reader:
    """Reads one stream. What is out of the grammar's order is Idle, and is kept."""

    TEXT_KEY = b'"text":'

    def __init__(self) -> None:
        self._begun = False
        self._finished = False
        self._count = 0
        self._open: dict[int, tuple[int, type[Node]]] = {}  # index → part, kind of part
        self._shut: set[int] = set()
        self._next = 0  # the part that is to be shut next
        self._usage: JSON = {}
        self._readers: dict[str, Callable[[JSON], list[Event] | None]] = {
            "content_block_delta": self._delta,
            "content_block_start": self._start,
            "content_block_stop": self._stop,
            "message_start": self._message_start,
            "message_delta": self._message_delta,
            "message_stop": self._message_stop,
            "error": self._error,
        }

    def rest(self) -> list[Event]:
        """Nothing is held back."""
        return []

    def read(self, event: WireEvent) -> list[Event]:
        """Return what an event says."""
        data = event.data
        kind = data.get("type") if isinstance(data, dict) else None
        if not isinstance(kind, str) or event.name not in ("", kind):
            whole = {"data": data, "name": event.name}
            return [Idle(type=kind if isinstance(kind, str) else "", form=RAW, rest=whole)]
        reader = self._readers.get(kind)
        events = (reader(data) if reader else None) or [Idle(type=kind, rest=_but_type(data).left)]
        if event.name != kind:
            events[0].form = f"{events[0].form} {UNNAMED}" if events[0].form else UNNAMED
        return events

    def _message_start(self, data: JSON) -> list[Event] | None:
        if self._begun or not isinstance(data.get("message"), dict):
            return None
        self._begun = True
        taker = _but_type(data)
        inner = Taker(taker.left.pop("message"))
        form = lacking(inner, BLANK)
        begin = Begin(dialect=DIALECT, form=form, rest=taker.left)
        begin.id, begin.model = word(inner, "id"), word(inner, "model")
        begin.tally = read_tally(inner)
        if begin.tally is not None:
            self._usage = begin.tally.rest
        if inner.left:
            taker.left["message"] = inner.left
        return [begin]

    def _start(self, data: JSON) -> list[Event] | None:
        index, block = data.get("index"), data.get("content_block")
        fresh = type(index) is int and index not in self._open
        if not (self._begun and not self._finished and fresh and isinstance(block, dict)):
            return None
        part = read_part(block)
        if isinstance(part, ToolCall) and part.arguments == "{}":
            part.arguments = ""  # they follow
        number = self._count
        self._count += 1
        self._open[data["index"]] = (number, type(part))
        return [
            Open(answer=0, part=number, content=part, rest=_left(data, number, "content_block"))
        ]

    def _delta(self, data: JSON) -> list[Event] | None:
        delta = data.get("delta")
        number, kind = self._part(data)
        if number < 0 or not isinstance(delta, dict):
            return None
        more = More(answer=0, part=number, rest=_left(data, number, "delta"))
        key = _read_delta(more, kind, delta)
        if not key:
            return None
        if len(delta) > 2:  # the type and the key that was read
            more.rest["delta"] = {k: v for k, v in delta.items() if k not in ("type", key)}
        return [more]

    def _part(self, data: JSON) -> tuple[int, type[Node]]:
        index: Any = data.get("index")
        return self._open.get(index, NOWHERE) if type(index) is int else NOWHERE

    def _stop(self, data: JSON) -> list[Event] | None:
        number, _ = self._part(data)
        if number < 0:
            return None
        del self._open[data["index"]]
        self._shut.add(number)
        if number != self._next:  # one that began before is open still
            return None
        shut: list[Event] = [Shut(answer=0, part=number, rest=_left(data, number, ""))]
        self._next += 1
        while self._next in self._shut:
            shut.append(Shut(answer=0, part=self._next, form=LATE))
            self._next += 1
        return shut

    def _message_delta(self, data: JSON) -> list[Event] | None:
        if not self._begun or self._finished:
            return None
        taker = _but_type(data)
        delta = taker.left.get("delta")
        events: list[Event] = []
        inner = Taker(delta if isinstance(delta, dict) else {})
        stop = read_stop(inner)
        if stop is not None:
            self._finished = True
            del taker.left["delta"]
            nulls = [key for key in BESIDE if inner.left.get(key, stop) is None]
            for key in nulls:
                del inner.left[key]
            if inner.left:
                taker.left["delta"] = inner.left
            events.append(Finish(answer=0, stop=stop, form=" ".join(nulls)))
        tally = read_tally(taker, self._usage)
        if tally is not None:
            events.append(Count(tally=tally))
        if events:
            events[0].rest = taker.left
        return events

    def _message_stop(self, data: JSON) -> list[Event] | None:
        return [End(rest=_but_type(data).left)]

    def _error(self, data: JSON) -> list[Event] | None:
        error = data.get("error")
        if not isinstance(error, dict):
            return None
        kind = error.get("type")
        status = STATUSES.get(kind, 500) if isinstance(kind, str) else 500
        return [Fault(problem=read_problem(status, data))]


NOWHERE: tuple[int, type[Node]] = (-1, Node)


def _but_type(data: JSON) -> Taker:
    taker = Taker(data)
    del taker.left["type"]
    return taker


def _left(data: JSON, number: int, key: str) -> JSON:
    """Return what an event says beside its type, its part and what is under a key."""
    known = ("type", key, "index") if data["index"] == number else ("type", key)
    return {k: v for k, v in data.items() if k not in known}


def _read_delta(more: More, kind: type[Node], delta: JSON) -> str:
    """Read a delta to a part of a kind; return the key that was read, "" when it is another's."""
    told = delta.get("type")
    text_delta, key = DELTAS.get(kind, ("", ""))
    text = delta.get(key)
    if told == text_delta and isinstance(text, str):
        more.text = text
        return key
    if told == "citations_delta" and kind is Text and isinstance(delta.get("citation"), dict):
        more.citation = read_citation(delta["citation"])
        return "citation"
    seal = delta.get("signature")
    if told == "signature_delta" and kind is Reasoning and isinstance(seal, str):
        more.signature = Signature(value=seal, vendor=DIALECT)
        return "signature"
    return ""
