"""Time-outs without timers: one look at every connection, a few times a second.

A timer for each query would cost more than the query's own bookkeeping; deadlines here are
coarse by `EVERY_SECONDS`, which is nothing to limits of seconds.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

log = logging.getLogger("farthing")

EVERY_SECONDS = 0.25

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
        self._members: set[Swept] = set()
        self._timer = self._loop.call_later(EVERY_SECONDS, self._sweep)

    def add(self, member: Swept) -> None:
        """Watch a member's deadline from now on."""
        self._members.add(member)

    def remove(self, member: Swept) -> None:
        """Stop watching."""
        self._members.discard(member)

    def stop(self) -> None:
        """Sweep no more."""
        self._timer.cancel()

    def _sweep(self) -> None:
        self.now = now = self._loop.time()
        for member in [m for m in self._members if m.deadline <= now]:
            try:
                member.expired()
            except Exception:
                log.exception("a connection's time-out failed by a defect")
        self._timer = self._loop.call_later(EVERY_SECONDS, self._sweep)
