"""The head of a provider's answer, and what each of its lines means here.

The parser has checked its form: no line is folded, none lacks its colon, each ends with CRLF.
Most lines are the same in every answer of a provider; what one means is remembered.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from farthing.proxy.http import HOP_BY_HOP, keep_alive_seconds

# Statuses whose answers have no body (RFC 9110 §15.3.5, §15.4.5).
BODYLESS = (204, 304)

LINE_MOST = 256
LINES_MOST = 512


class Head(msgspec.Struct):
    """The head of a provider's answer."""

    status: int
    passed: bytes
    """The header lines that go on to the client."""
    content_type: bytes
    encoded: bool
    """Whether the body is compressed, although that was not asked for."""
    own: dict[bytes, bytes] = {}
    """The headers of a provider that is a farthing itself; they do not go on."""
    length: int | None = None
    """The body's length in bytes, where the head tells it."""
    chunked: bool = False
    framed: bool = False
    """Whether the body's end can be told without the connection's end."""
    rests: float = float("inf")
    """How long the provider lets the connection rest, in seconds."""


Take = Callable[[Head, bytes], None]
Line = tuple[bytes, Take | None, bytes]
_LINES: dict[bytes, Line] = {}


def read_head(status: int, head: bytes) -> Head:
    """Read a head, from its first line to the empty line at its end."""
    read = Head(status, b"", b"", encoded=False)
    passed, known = [], _LINES
    for line in head.split(b"\r\n")[1:-2]:
        goes_on, take, value = known.get(line) or _line(line)
        if goes_on:
            passed.append(goes_on)
        if take is not None:
            take(read, value)
    read.passed = b"".join(passed)
    if status in BODYLESS:
        read.framed, read.length, read.chunked = True, 0, False
    return read


def _line(line: bytes) -> Line:
    """Return how a line goes on, what is to be done with its value, and that."""
    written, _, value = line.partition(b":")
    name, value = written.lower(), value.strip(b" \t")
    goes_on = b"" if name in HOP_BY_HOP else b"%s: %s\r\n" % (name, value)
    found: Line = (goes_on, _TAKEN.get(name), value)
    if name.startswith(b"farthing-"):  # those are ours to say to the client
        found = (b"", _own, line)
    if len(line) <= LINE_MOST:
        if len(_LINES) >= LINES_MOST:
            _LINES.clear()
        _LINES[line] = found
    return found


def _own(head: Head, line: bytes) -> None:
    name, _, value = line.partition(b":")
    head.own[name.lower()] = value.strip(b" \t")


def _content_type(head: Head, value: bytes) -> None:
    head.content_type = value.lower()


def _content_encoding(head: Head, value: bytes) -> None:
    head.encoded = value.lower() != b"identity"


def _content_length(head: Head, value: bytes) -> None:
    head.framed, head.length = True, int(value)


def _transfer_encoding(head: Head, value: bytes) -> None:
    head.framed, head.chunked = True, value.lower().endswith(b"chunked")


def _keep_alive(head: Head, value: bytes) -> None:
    head.rests = keep_alive_seconds(value)


_TAKEN: dict[bytes, Take] = {
    b"content-type": _content_type,
    b"content-encoding": _content_encoding,
    b"content-length": _content_length,
    b"transfer-encoding": _transfer_encoding,
    b"keep-alive": _keep_alive,
}
