"""A sink for farthing's own requests: gathers an answer, or hands it on piece by piece."""

from __future__ import annotations

from collections.abc import Callable

from farthing.errors import Failed
from farthing.flow import OneShot
from farthing.proxy.head import Head


class Gathered:
    """The answer to a request that no client of ours waits for."""

    def __init__(self, each: Callable[[bytes], None] | None = None) -> None:
        """`each`, if given, is called with every piece as it comes."""
        self.arrived: OneShot[Head] = OneShot()
        self.finished: OneShot[None] = OneShot()
        self.content = bytearray()
        self._each = each

    def head(self, head: Head) -> None:
        """The head has come."""
        self.arrived.set(head)

    def body(self, data: bytes) -> None:
        """Keep a piece."""
        self.content += data
        if self._each is not None:
            self._each(data)

    def framed(self, data: bytes) -> bool:
        """It is wanted without its framing."""
        return False

    def flush(self) -> None:
        """Nothing waits to be passed on."""

    def complete(self) -> None:
        """The whole answer has come."""
        self.finished.set(None)

    def broken(self, problem: Failed) -> None:
        """The answer will not come."""
        self.arrived.fail(problem)
        self.finished.fail(problem)
