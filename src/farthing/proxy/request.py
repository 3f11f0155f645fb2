"""A request, and the head that a kept-alive client sends again and again.

Such a client's heads differ in nothing but the length of their body, and reading one costs more
than reading what it asks. So a connection remembers the last head that the parser took whole. A
head of the very same bytes, but for the digits of its length, means the same.
"""

from __future__ import annotations

import re

from farthing import clock
from farthing.ledger.registry import KeyState

# A length of more digits is left to the parser.
DIGITS_MOST = 9

# Headers that give a request another shape than a head and a body of a known length.
SHAPING = (b"transfer-encoding", b"expect", b"upgrade")

_length = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)(?=[ \t]*\r\n)", re.IGNORECASE).finditer


class Facts:
    """What was found out from a head already, and holds for each request that has it."""

    __slots__ = ("key", "tags", "user")

    def __init__(self) -> None:
        self.key: KeyState | None = None
        """The key that it opens with, if it is still open."""
        self.user: str | None = None
        self.tags: tuple[str, ...] = ()


class Request:
    """One request, read to its end."""

    __slots__ = (
        "body",
        "facts",
        "headers",
        "http10",
        "keep_alive",
        "method",
        "path",
        "question",
        "received",
    )

    def __init__(self) -> None:
        self.method = b""
        self.path = b""
        self.question = b""
        """What follows the path after a question mark."""
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.keep_alive = False
        self.http10 = False
        self.received = 0
        """When its last byte was read, on the monotonic clock."""
        self.facts = Facts()


class Repeat:
    """A head that was read, to be known again."""

    __slots__ = ("_after", "_before", "_read")

    def __init__(self, before: bytes, after: bytes, read: Request) -> None:
        """What stands before and after the digits of its length, and what it says."""
        self._before = before
        self._after = after
        self._read = read

    def match(self, data: bytes) -> tuple[int, int]:
        """Return where in the data a body begins behind this head, and how many bytes it lacks.

        Less than none where they do not begin with this head, or have more behind the body.
        """
        after, begin = self._after, len(self._before)
        end = data.find(b"\r", begin, begin + DIGITS_MOST + 1)
        digits = data[begin:end]
        if not (digits.isdigit() and data.startswith(after, end) and data.startswith(self._before)):
            return 0, -1
        begin = end + len(after)
        return begin, begin + int(digits) - len(data)

    def request(self, body: bytes) -> Request:
        """Return the request that has this head and a body, which came just now.

        It is always the same object: the one before it was answered.
        """
        request = self._read
        request.body = body
        request.received = clock.monotonic()
        return request


def repeat(data: bytes, request: Request) -> Repeat | None:
    """Remember the head that the data begin with, if all it leaves open is the body's length."""
    end = data.find(b"\r\n\r\n") + 4
    lengths = list(_length(data, 0, end))
    headers = request.headers
    if not request.keep_alive or request.http10 or len(lengths) != 1:
        return None
    if any(name in headers for name in SHAPING) or b"content-length" not in headers:
        return None
    first, last = lengths[0].span(1)
    body = data[end : end + int(data[first:last])]
    assert request.body.startswith(body), "the data began with this head"
    read = Request()
    read.method, read.path, read.question = request.method, request.path, request.question
    read.headers = {name: v for name, v in headers.items() if name != b"content-length"}
    read.facts, read.keep_alive = request.facts, True
    return Repeat(data[:first], data[last:end], read)
