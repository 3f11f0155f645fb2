"""Which parts of one streamed answer are open, while its chunks are read."""

from __future__ import annotations

from collections.abc import Hashable

import msgspec

from farthing.wire.canon import Part, Stop, ToolCall
from farthing.wire.events import Event, Finish, Open, Shut


class OpenPart(msgspec.Struct):
    """A part that has begun."""

    number: int
    key: Hashable
    """What it is in this dialect: a kind, or a kind and an index."""
    arguments: list[str] | None = None
    """What a tool call's were so far; None of other parts."""

    def complete(self) -> bool:
        """Whether nothing can follow, now that another part begins."""
        if self.arguments is None:
            return True
        told = "".join(self.arguments)
        if not told.rstrip().endswith("}"):
            return False
        try:
            msgspec.json.decode(told)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return False
        return True


class Call(msgspec.Struct):
    """A tool call as the stream tells it; its part opens when its name is told."""

    id: str = ""
    part: OpenPart | None = None
    early: str = ""
    """Arguments that came before the name."""


class Track:
    """One answer's parts.

    Any part but a tool call is complete when another begins. Tool calls may be told in turns, by
    index: one is complete when its arguments are an object, or at the answer's end.
    """

    def __init__(self, answer: int) -> None:
        self.answer = answer
        self.open: list[OpenPart] = []
        self.calls: dict[Hashable, Call] = {}
        self.last_call: Call | None = None
        self.parts = 0
        self.refused = False
        self.finished = False
        self.stop: Stop | None = None

    def current(self, key: Hashable) -> OpenPart | None:
        """Return the part that text goes on in, if it is of this key."""
        return self.open[-1] if self.open and self.open[-1].key == key else None

    def find(self, key: Hashable) -> OpenPart | None:
        """Return the last open part of a key."""
        return next((part for part in reversed(self.open) if part.key == key), None)

    def begin(self, key: Hashable, content: Part, events: list[Event]) -> OpenPart:
        """Open a part, shutting those before it that are complete."""
        while self.open and self.open[0].complete():
            self._shut_first(events)
        part = OpenPart(number=self.parts, key=key)
        if isinstance(content, ToolCall):
            part.arguments = []
        self.parts += 1
        self.open.append(part)
        events.append(Open(answer=self.answer, part=part.number, content=content))
        return part

    def _shut_first(self, events: list[Event]) -> None:
        events.append(Shut(answer=self.answer, part=self.open.pop(0).number))

    def finish(self, events: list[Event]) -> None:
        """End the answer, once."""
        if self.finished:
            return
        while self.open:
            self._shut_first(events)
        self.finished = True
        events.append(Finish(answer=self.answer, stop=self.stop or Stop(kind="other")))
