"""Time-outs without timers: one look at every connection, a few times a second.

A timer for each query would cost more than the query's own bookkeeping; deadlines here are
coarse by `EVERY_SECONDS`, which is nothing to limits of seconds. A look at thousands of
connections at once would keep the others waiting, so each turn takes a part of them.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

log = logging.getLogger("farthing")

EVERY_SECONDS = 0.25
PARTS = 5

NEVER = float("inf")


class Swept(Protocol):
    """What has a deadline."""

    deadline: float

    def expired(self) -> None:
        """The deadline has passed."""


class Sweeper:
    """Keeps the time and calls back whoever's deadline has passed."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time()
        """The loop's time at the last sweep, in seconds."""
        self._parts: list[set[Swept]] = [set() for _ in range(PARTS)]
        self._turn = 0
        self._timer = self._loop.call_later(EVERY_SECONDS / PARTS, self._sweep)

    def add(self, member: Swept) -> None:
        """Watch a member's deadline from now on."""
        self._parts[hash(member) % PARTS].add(member)

    def remove(self, member: Swept) -> None:
        """Stop watching."""
        self._parts[hash(member) % PARTS].discard(member)

    def stop(self) -> None:
        """Sweep no more."""
        self._timer.cancel()

    def _sweep(self) -> None:
        before, self.now = self.now, self._loop.time()
        # A turn that comes so late that others were left out makes up for them.
        for _ in range(PARTS if self.now - before > EVERY_SECONDS else 1):
            self._sweep_part(self._parts[self._turn])
            self._turn = (self._turn + 1) % PARTS
        self._timer = self._loop.call_later(EVERY_SECONDS / PARTS, self._sweep)

    def _sweep_part(self, members: set[Swept]) -> None:
        now = self.now
        for member in [m for m in members if m.deadline <= now]:
            try:
                member.expired()
            except Exception:
                log.exception("a connection's time-out failed by a defect")
