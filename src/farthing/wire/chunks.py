"""The framing of an HTTP/1.1 body whose length nobody knows beforehand (RFC 9112 §7.1).

Whoever uses this has let a parser check the framing before.
"""

from __future__ import annotations

import re

# Where an event of a stream and its chunk end together; some providers' lines end in CR LF.
EVENT_END = b"\n\n\r\n"
EVENT_ENDS = (EVENT_END, b"\n\r\n\r\n")
# An event is rarely longer than this.
NEAR = 2048

_size_line = re.compile(rb"[0-9a-fA-F]+(?:;[^\r\n]*)?\r\n").match


class Chunks:
    """Takes the framing off a body as it comes."""

    def __init__(self) -> None:
        self._left = 0
        """What is to come of a chunk, its line end included."""
        self._line = b""
        """The beginning of a chunk's size."""
        self._ended = False
        self.between = True
        """Whether a chunk begins with the next byte."""

    def feed(self, data: bytes) -> bytes:
        """Return the content; what follows the last chunk is left out."""
        if self.between and (whole := _contents(data)):
            self._ended = not whole[-1]
            self.between = not self._ended
            return whole[0] if len(whole) == 1 else b"".join(whole)
        if self._line:
            data, self._line = self._line + data, b""
        pieces, at, end, left = [], 0, len(data), self._left
        while at < end and not self._ended:
            if not left:
                line = data.find(b"\r\n", at)
                if line < 0:
                    self._line = data[at:]
                    break
                size = int(data[at:line].partition(b";")[0], 16)
                at, left = line + 2, size + 2
                self._ended = size == 0
            else:
                if left > 2:
                    pieces.append(data[at : min(at + left - 2, end)])
                at, left = at + left, max(0, at + left - end)
        self._left = 0 if self._ended else left
        self.between = not (self._left or self._line or self._ended)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _contents(data: bytes) -> list[bytes]:
    """Return the content of each chunk, if the data are whole chunks and nothing else, with no line
    end (CR LF) in any content, as in nearly every stream; nothing otherwise.

    That each size is the length of what stands up to the next line end shows it: the chunk ends
    there, and the next one begins behind it.
    """
    parts = data.split(b"\r\n")
    told = parts[1::2]
    try:
        sizes = [int(size, 16) for size in parts[:-1:2]]
    except ValueError:  # an extension, or no size at all
        return []
    return told if sizes == list(map(len, told)) and all(told[:-1]) and not parts[-1] else []


def unframed(data: bytes) -> bytes:
    """Return the content of whole chunks."""
    return Chunks().feed(data)


def whole_until(data: bytes, spared: int = 0) -> int:
    """Return how much of the data, but for so many events at their end, are whole events in whole
    chunks; 0 where that is not sure. The data begin a chunk."""
    mark = max(EVENT_ENDS, key=lambda mark: data.rfind(mark, -NEAR))
    end = data.rfind(mark)
    for _ in range(spared):
        end = data.rfind(mark, 0, max(end, 0))
    cut = end + len(mark)
    return cut if end >= 0 and _size_line(data, cut) else 0


def last_content(data: bytes, most: int) -> bytes:
    """Return the content of whole chunks of whole events: of about the last `most` bytes alone, or
    of all where no chunk surely begins there."""
    if len(data) > most:
        for mark in EVENT_ENDS:
            end = data.find(mark, len(data) - most)
            if end >= 0 and _size_line(data, end + len(mark)):
                return unframed(data[end + len(mark) :])
    return unframed(data)
