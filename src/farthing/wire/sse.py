"""Server-sent events in bytes: boundaries and data, as the HTML standard defines them.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

Of the standard, what no provider sends is left out: lines that end in a lone carriage return, a
byte order mark, and fields without a colon.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_name_line = re.compile(rb"^event: ?([^\r\n]*)", re.MULTILINE).search
_blank_lines = re.compile(rb"\n\r?\n").finditer


def complete_length(buffer: bytes) -> int:
    """Return how many of the first bytes are whole events (0 when none is whole yet)."""
    line_feed = buffer.rfind(b"\n\n")
    carriage = buffer.rfind(b"\n\r\n")
    return max(line_feed + 2 if line_feed >= 0 else 0, carriage + 3 if carriage >= 0 else 0)


def events(block: bytes) -> Iterator[bytes]:
    """Yield the whole events of a block, each with the blank line that ends it."""
    start = 0
    for blank in _blank_lines(block):
        yield block[start : blank.end()]
        start = blank.end()
    if start < len(block):
        yield block[start:]


def around(buffer: bytes, place: int) -> tuple[int, int]:
    """Return where the event begins that a place is in, and where it ends."""
    starts = (buffer.rfind(b"\n\n", 0, place), buffer.rfind(b"\n\r\n", 0, place))
    blanks = (buffer.find(b"\n\n", place), buffer.find(b"\n\r\n", place))
    stops = [at + 1 for at in blanks if at >= 0]
    start = max(starts[0] + 2 if starts[0] >= 0 else 0, starts[1] + 3 if starts[1] >= 0 else 0)
    return start, min(stops, default=len(buffer))


def name(event: bytes) -> str:
    """Return an event's name; "" when it has none."""
    found = _name_line(event)
    return found[1].decode("utf-8", "replace") if found else ""


def data(event: bytes) -> bytes:
    """Return an event's data: its data lines, joined by line feeds."""
    lines = event.replace(b"\r\n", b"\n").split(b"\n")
    values = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")]
    return b"\n".join(values)
