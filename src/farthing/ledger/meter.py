"""Meters: what one limit counts in its window.

What a query holds and later spends counts in the window it was admitted in, so that posted plus
held is never above the limit there, however late the query ends. A clock that is set back stays
in the window that is open, unless it is set back so far that waiting would lock everybody out.
"""

from __future__ import annotations

from itertools import dropwhile

import msgspec

from farthing.clock import SECOND
from farthing.ledger.window import bounds

UNITS = ("usd", "tokens", "requests", "concurrent")

# How far a clock may be set back before the window of its new time is opened.
SET_BACK = 24 * 3600 * SECOND

# A minute in whole seconds, and one more: the second that it began in counts as a whole.
SLIDING = 61


class Meter(msgspec.Struct, tag="calendar"):
    """A limit and what counts against it in the calendar window that is open, or for ever."""

    unit: int
    """Its place in UNITS."""
    window: str
    amount: int
    soft: bool = False
    """Whether passing it warns and does not refuse."""
    posted: int = 0
    held: int = 0
    starts: int = 0
    ends: int = 0
    slot: int = 0
    """The number of the window that is open; of one that a clock set back opens again, another."""
    warned: int = -1
    """The period in which passing it was last told."""

    def used(self, now: int) -> tuple[int, int]:
        """Return what is posted and held in the window around a moment."""
        if self.starts - SET_BACK <= now < self.ends:
            return self.posted, self.held
        return 0, 0

    def period(self) -> int:
        """Return what tells the window that is open from others."""
        return self.starts

    def hold(self, quantity: int, now: int) -> int:
        """Hold a quantity in the window around a moment; return the slot its end must name."""
        if not self.starts - SET_BACK <= now < self.ends:
            self.starts, self.ends = bounds(self.window, now)
            self.posted = self.held = 0
            self.slot += 1
        self.held += quantity
        return self.slot

    def end(self, slot: int, held: int, spent: int) -> None:
        """Release what was held in a slot and post what was spent, if the slot still counts."""
        if slot == self.slot:
            self.held -= held
            self.posted += spent
            assert self.held >= 0, "more was released than was held"

    def refills(self, wanted: int, now: int) -> int | None:
        """Return when a quantity will fit by time alone; None when it will not."""
        if wanted > self.amount or self.window == "ever":
            return None
        is_open = self.starts - SET_BACK <= now < self.ends
        return self.ends if is_open else bounds(self.window, now)[1]


class SlidingMeter(Meter, tag="sliding"):
    """A limit and what counts against it in the last minute."""

    seconds: list[list[int]] = []
    """Of each second that counts, the oldest first: itself, posted, held. Slots number them."""

    def used(self, now: int) -> tuple[int, int]:
        """Return what is posted and held in the minute before a moment."""
        posted, held, second = self.posted, self.held, now // SECOND
        for counted, its_posted, its_held in self.seconds:
            if not _past(counted, second):
                break
            posted, held = posted - its_posted, held - its_held
        return posted, held

    def period(self) -> int:
        """Return the minute."""
        return self.starts // 60

    def hold(self, quantity: int, now: int) -> int:
        """Forget the seconds that no longer count; hold a quantity in this one."""
        second = self.starts = now // SECOND
        while self.seconds and _past(self.seconds[0][0], second):
            _, posted, held = self.seconds.pop(0)
            self.posted -= posted
            self.held -= held
        # A clock set back a little: it goes on in the last second, so that seconds stay in order.
        if not self.seconds or self.seconds[-1][0] < second:
            self.seconds.append([second, 0, 0])
            self.slot += 1
        self.seconds[-1][2] += quantity
        self.held += quantity
        return self.slot

    def end(self, slot: int, held: int, spent: int) -> None:
        """Release and post in the second of the hold, if it still counts."""
        place = len(self.seconds) - 1 - (self.slot - slot)
        if place >= 0:
            counts = self.seconds[place]
            counts[1] += spent
            counts[2] -= held
            self.posted += spent
            self.held -= held
            assert counts[2] >= 0, "more was released than was held"

    def refills(self, wanted: int, now: int) -> int | None:
        """Return when enough will be older than a minute; None when the limit is too small."""
        second, used = now // SECOND, sum(self.used(now))
        for counted, posted, held in dropwhile(lambda each: _past(each[0], second), self.seconds):
            used -= posted + held
            if used + wanted <= self.amount:
                return (counted + SLIDING) * SECOND
        return None


def _past(counted: int, second: int) -> bool:
    """Whether a second no longer counts: a minute old, or a minute ahead of a clock set back."""
    return not -SLIDING < counted - second < SLIDING


AnyMeter = Meter | SlidingMeter


def new_meter(unit: str, window: str, amount: int, soft: bool) -> AnyMeter:
    """Return a meter in which nothing counts yet."""
    kind = SlidingMeter if window == "minute" else Meter
    return kind(unit=UNITS.index(unit), window=window, amount=amount, soft=soft)
