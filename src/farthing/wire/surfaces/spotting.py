"""Find the usage at the end of a stream whose last event can be larger than any window.

An image's last event carries the image. So the stream is searched as it passes, and only what
follows the last `"usage"` is kept. Inside a JSON string its quotes would be escaped, so that those
bytes are always a name.
"""

from __future__ import annotations

from collections.abc import Callable

from farthing.wire.dialect import Answer

NAME = b'"usage"'
# A usage object with all its details has some 400 bytes.
KEPT = 4096


class SpottingTap:
    """Keeps what follows the last usage; passes everything on."""

    def __init__(self, read: Callable[[bytes], Answer]) -> None:
        """`read` reads an answer of nothing but its usage."""
        self._read = read
        self._carry = b""
        self._found = b""

    def feed(self, data: bytes) -> bytes:
        """Remember the last usage, and pass the bytes on."""
        block = self._carry + data
        place = block.rfind(NAME)
        if place >= 0:
            self._found = block[place : place + KEPT]
        elif self._found:
            self._found += data[: KEPT - len(self._found)]
        self._carry = block[-len(NAME) + 1 :]
        return data

    def rest(self) -> bytes:
        """Nothing is held back."""
        return b""

    def answer(self) -> Answer:
        """Return what the last usage says."""
        usage = _object(self._found[len(NAME) :].lstrip(b": \r\n\t"))
        return self._read(b'{"usage":%s}' % usage) if usage else Answer()


def _object(text: bytes) -> bytes:
    """Return the JSON object that a text begins with; nothing when it begins with none."""
    depth = 0
    for place, byte in enumerate(text):
        depth += (byte == 0x7B) - (byte == 0x7D)
        if depth == 0:
            return text[: place + 1] if byte == 0x7D else b""
    return b""
