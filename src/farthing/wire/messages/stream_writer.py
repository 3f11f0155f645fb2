"""Messages streams: writing them.

What was read in this dialect is written event by event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from farthing.wire.canon import JSON, Node, Text
from farthing.wire.codec import StreamWriter, WireEvent
from farthing.wire.crossing import Crossing
from farthing.wire.events import Begin, Count, End, Event, Fault, Finish, Idle, More, Open, Shut
from farthing.wire.messages.answers import write_head, write_stop, write_tally
from farthing.wire.messages.blocks import Blocks
from farthing.wire.messages.parts import overlay
from farthing.wire.messages.problems import write_problem
from farthing.wire.messages.stream_crossing import ForeignWriter
from farthing.wire.messages.stream_reader import BESIDE, BLANK, DELTAS, LATE, RAW, UNNAMED


def stream_writer(crossing: Crossing) -> StreamWriter:
    """Return a writer of one stream."""
    return SameWriter(crossing) if crossing.same else ForeignWriter(crossing)


class SameWriter:
    """Writes back the events of this dialect's own reader."""

    def __init__(self, crossing: Crossing) -> None:
        self._crossing = crossing
        self._blocks = Blocks(crossing, answer=True)
        self._kinds: dict[int, type[Node]] = {}
        self._writers: dict[type[Node], Callable[[Any], JSON]] = {
            Begin: self._begin,
            Open: self._open,
            More: self._more,
            Shut: lambda event: {"type": "content_block_stop", "index": event.part},
            Finish: self._finish,
            Count: self._count,
            End: lambda event: {"type": "message_stop"},
        }

    def write(self, events: list[Event]) -> list[WireEvent]:
        """Return the event that was read as these."""
        if not events:
            return []
        first, words = events[0], events[0].form.split()
        if isinstance(first, Idle):
            if RAW in words:
                return [WireEvent(data=first.rest["data"], name=first.rest["name"])]
            data = {"type": first.type, **first.rest}
        elif isinstance(first, Fault):
            data = write_problem(first.problem, self._crossing)
        else:
            data = self._writers[type(first)](first)
            for event in [event for event in events[1:] if event.form != LATE]:
                data |= self._writers[type(event)](event)
            overlay(data, first.rest)
        return [WireEvent(data=data, name="" if UNNAMED in words else data["type"])]

    def _begin(self, event: Begin) -> JSON:
        words = event.form.split()
        message = write_head(event.id, event.model, event.form, self._crossing)
        message |= {key: value for key, value in BLANK.items() if key not in words}
        if event.tally is not None:
            message["usage"] = write_tally(event.tally, self._crossing)
        return {"type": "message_start", "message": message}

    def _open(self, event: Open) -> JSON:
        self._kinds[event.part] = type(event.content)
        block = self._blocks.block(event.content)
        return {"type": "content_block_start", "index": event.part, "content_block": block}

    def _more(self, event: More) -> JSON:
        if event.citation is not None:
            citation = self._blocks.citation(event.citation)
            delta: JSON = {"type": "citations_delta", "citation": citation}
        elif event.signature is not None:
            delta = {"type": "signature_delta", "signature": event.signature.value}
        else:
            kind, key = DELTAS.get(self._kinds.get(event.part, Text), DELTAS[Text])
            delta = {"type": kind, key: event.text}
        return {"type": "content_block_delta", "index": event.part, "delta": delta}

    def _finish(self, event: Finish) -> JSON:
        nulls = {key: None for key in event.form.split() if key in BESIDE}
        delta = {**nulls, **write_stop(event.stop, self._crossing)}
        return {"type": "message_delta", "delta": delta}

    def _count(self, event: Count) -> JSON:
        return {"type": "message_delta", "usage": write_tally(event.tally, self._crossing)}
