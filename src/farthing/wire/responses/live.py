"""The parts of a stream that is being read: which are open, and how much of each was told."""

from __future__ import annotations

from collections import deque

import msgspec

from farthing.wire.canon import Opaque, Part, Reasoning, Refusal, Text, ToolCall
from farthing.wire.events import Event, More, Open, Shut
from farthing.wire.responses.items import BETWEEN

# Where in its item a part is: at an index of its content, or one of these.
WHOLE, SUMMARY, THOUGHTS = -1, -2, -3

Place = tuple[int, int]
"""The index of an item, and where in it a part is."""


class Live(msgspec.Struct):
    """A part that was opened."""

    number: int
    index: int = 0
    """Which piece of a reasoning item is being told."""
    told: int = 0
    """How many characters of it, or of that piece, were told."""
    shut: Shut | None = None
    """Its end, which waits for the parts before it."""


class LiveParts:
    """Opens parts and shuts them, in one order."""

    def __init__(self) -> None:
        self.parts: dict[Place, Live] = {}
        self.kinds: list[Part] = []
        """What each part was opened as, in their order: it tells how the answer ends."""
        self._queue: deque[Live] = deque()

    def open(self, place: Place, content: Part) -> list[Event]:
        """Open a part."""
        live = Live(number=len(self.kinds))
        self.parts[place] = live
        self.kinds.append(content)
        self._queue.append(live)
        return [Open(answer=0, part=live.number, content=content)]

    def shut(self, live: Live, content: Part | None) -> list[Event]:
        """Shut a part, and those after it that waited for it."""
        if live.shut is not None:
            return []
        live.shut = Shut(answer=0, part=live.number, content=content)
        said: list[Event] = []
        while self._queue and (shut := self._queue[0].shut) is not None:
            self._queue.popleft()
            said.append(shut)
        return said

    def shut_all(self) -> list[Event]:
        """Shut what is still open."""
        return [said for live in list(self._queue) for said in self.shut(live, None)]

    def remainder(self, live: Live, whole: str) -> list[Event]:
        """Return what of a text was not told in pieces; some hosts send it only whole."""
        if live.shut is not None or len(whole) <= live.told:
            return []
        text, live.told = whole[live.told :], len(whole)
        return [More(answer=0, part=live.number, text=text)]

    def piece(self, live: Live, piece: int) -> list[Event]:
        """Go on to another piece of a reasoning item."""
        if piece == live.index:
            return []
        live.index, live.told = piece, 0
        return [More(answer=0, part=live.number, text=BETWEEN)]


def text_of(part: Part) -> str:
    """Return what of a part comes in pieces."""
    if isinstance(part, ToolCall):
        return part.arguments
    return part.text if isinstance(part, Text | Refusal | Reasoning) else ""


def blank_of(part: Part) -> Part:
    """Return a part as it is opened: with what never comes in pieces."""
    if isinstance(part, ToolCall):
        return ToolCall(id=part.id, name=part.name, custom=part.custom, rest=part.rest)
    if isinstance(part, Text):
        return Text(text="")
    if isinstance(part, Refusal):
        return Refusal(text="")
    if isinstance(part, Reasoning):
        return Reasoning(summary=part.summary)
    return part if isinstance(part, Opaque) else Opaque(type="part")
