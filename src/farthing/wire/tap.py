"""Read a stream while it passes, at close to no cost for events that carry no usage.

Usage stands in the first event, the last ones, or both. So a tap keeps the first bytes and a
window of the last ones, and parses them once, when the stream is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from farthing.wire import sse
from farthing.wire.chunks import EVENT_END, NEAR, last_content
from farthing.wire.dialect import Answer, Tap

# The window must hold the last event with usage and what follows it. The largest such tail in
# recorded traffic (a final chunk with citations) is under 20 kB.
WINDOW = 64 * 1024

Piece = bytes | tuple[bytes]


class TailTap:
    """Keeps a stream's first bytes (`head` of them) and its last ones; passes everything on."""

    __slots__ = ("_head", "_head_room", "_held", "_tail")
    watches = False
    """Whether it looks at what leaves the window."""

    def __init__(self, head: int = 0) -> None:
        self._head = bytearray()
        self._head_room = head
        self._tail: list[Piece] = []
        """What came last: chunks with their framing, or in a tuple bytes without any."""
        self._held = 0

    def feed(self, data: bytes) -> bytes:
        """Remember the bytes as far as the window goes, and pass them on."""
        if self._head_room > 0:
            self._head += data[: self._head_room]
            self._head_room -= len(data)
            if self.begun():
                self._head_room = 0
        self._tail.append((data,))
        self._held += len(data)
        if self._held > WINDOW:
            self._forget()
        return data

    def framed(self, data: bytes) -> bool:
        """Remember whole chunks, which are read at the end; or say that the first are awaited."""
        if self._head_room > 0:
            return False
        self._tail.append(data)
        self._held += len(data)
        if self._held > WINDOW:
            self._forget()
        return True

    def _forget(self) -> None:
        """Let what came first leave the window."""
        number, tail = 0, self._tail
        while self._held - (size := _size(tail[number])) >= WINDOW:
            self._held -= size
            number += 1
        gone = tail[:number]
        del tail[:number]
        if self.watches:
            for piece in gone:
                self.passed(_content(piece, _size(piece)))

    def begun(self) -> bool:
        """Whether the first bytes say already what is wanted of them."""
        return False

    def passed(self, data: bytes) -> None:
        """Look at bytes that leave the window."""

    def rest(self) -> bytes:
        """Nothing is held back."""
        return b""

    def first_bytes(self) -> bytes:
        """Return the first bytes, as many as were asked for."""
        return bytes(self._head)

    def last_bytes(self, most: int = WINDOW) -> bytes:
        """Return the bytes in the window, or the last pieces of it that have so many."""
        pieces, size = [], 0
        for piece in reversed(self._tail):
            pieces.append(_content(piece, most))
            size += _size(piece)
            if size >= most:
                break
        return b"".join(reversed(pieces))

    def holds(self, word: bytes, most: int = WINDOW) -> bool:
        """Whether a word stands in the last bytes of the window; one that the end of a chunk cuts
        does not."""
        pieces, size = list[bytes](), 0
        for piece in reversed(self._tail):
            pieces.append(piece[0] if isinstance(piece, tuple) else piece)
            size += len(pieces[-1])
            if size >= most:
                pieces[-1] = pieces[-1][size - most :]
                break
        return b"".join(reversed(pieces)).rfind(word) >= 0  # faster than from the front

    def first_events(self) -> Iterator[bytes]:
        """Yield the data of the whole events among the first bytes."""
        head = self.first_bytes()
        return (sse.data(event) for event in sse.events(head[: sse.complete_length(head)]))

    def last_events(self, marker: bytes, near: bytes | None = None) -> Iterator[bytes]:
        """Yield the data of the events in the window that hold a marker, the last one first.

        The one that the window cuts may be the tail of an event. Nearly always one of the last
        few is what is looked for (`near` is `last_bytes(NEAR)`, where that is there already); if
        not, these come again with the others.
        """
        yield from _marked(self.last_bytes(NEAR) if near is None else near, marker)
        if self._held > NEAR:
            yield from _marked(self.last_bytes(), marker)


def _size(piece: Piece) -> int:
    return len(piece[0] if isinstance(piece, tuple) else piece)


def _content(piece: Piece, most: int) -> bytes:
    """Return a piece without its framing: all of it, or about as many of its last bytes."""
    return piece[0] if isinstance(piece, tuple) else last_content(piece, most)


def _marked(window: bytes, marker: bytes) -> Iterator[bytes]:
    end = len(window)
    while (place := window.rfind(marker, 0, end)) >= 0:
        start, stop = sse.around(window, place)
        yield sse.data(window[start:stop])
        end = start


def told_last(data: bytes, name: bytes, most: int = 1) -> list[str]:
    """Return the strings that stand for a name in JSON texts, as many as wanted, the last first.

    Within a text the quotes would stand escaped.
    """
    found: list[str] = []
    for colon in (b'":"', b'": "'):
        mark, end = b'"' + name + colon, len(data)
        while len(found) < most and (place := data.rfind(mark, 0, end)) >= 0:
            begin = place + len(mark)
            found.append(data[begin : data.find(b'"', begin)].decode("utf-8", "replace"))
            end = place
    return found


class FramedTap(Tap, Protocol):
    """A tap that can take chunks with their framing."""

    def framed(self, data: bytes) -> bool:
        """Take whole chunks, which go on as they are; or say that their content is wanted."""


class Hiding:
    """Keeps one kind of event from the client: the one that only farthing asked for.

    An event is passed on when it is whole, so that a hidden one is never half sent.
    """

    def __init__(
        self,
        tap: FramedTap,
        suspicious: Callable[[bytes], bool],
        hidden: Callable[[bytes], bool],
    ) -> None:
        """`suspicious` is the cheap test of a block of events, `hidden` the exact one of one."""
        self._tap = tap
        self._suspicious = suspicious
        self._hidden = hidden
        self._carry = b""

    def feed(self, data: bytes) -> bytes:
        """Remember, and pass on the whole events that are not hidden."""
        self._tap.feed(data)
        if not self._carry and data.endswith(b"\n\n") and not self._suspicious(data):
            return data
        block = self._carry + data
        length = sse.complete_length(block)
        self._carry = block[length:]
        block = block[:length]
        if not self._suspicious(block):
            return block
        return b"".join(event for event in sse.events(block) if not self._hidden(event))

    def framed(self, data: bytes) -> bool:
        """Remember chunks, if they are whole events of which none can be one to hide."""
        if self._carry or self._suspicious(data):
            return False
        # Two line ends frame each chunk; more, and an event may begin in one and end in another.
        if data.count(b"\r") != 2 * data.count(EVENT_END):
            return False
        return self._tap.framed(data)

    def rest(self) -> bytes:
        """Return the last bytes, which no blank line ended."""
        rest, self._carry = self._carry, b""
        return b"" if rest and self._hidden(rest) else rest

    def answer(self) -> Answer:
        """Return what the stream said of itself so far."""
        return self._tap.answer()
