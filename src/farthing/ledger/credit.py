"""Prepaid credits: lots with an end, drawn first-expiring first.

A hold reserves what it can cost in named lots, so a credit that expires while a query runs still
pays for it, and nothing is promised twice. What is given back to an expired lot is gone with it.
"""

from __future__ import annotations

import msgspec

from farthing.ledger.window import EVER

Reserved = list[tuple["Lot", int]]


class Lot(msgspec.Struct):
    """One top-up: what is left of it, and how much of that open queries have reserved."""

    id: str
    scope: str
    usd: int
    expires: int = EVER
    left: int = 0
    reserved: int = 0

    def free(self, now: int) -> int:
        """Return what a new query may reserve."""
        return self.left - self.reserved if now < self.expires else 0


class Credit(msgspec.Struct):
    """All lots of one scope. Its mere existence makes the scope a prepaid one."""

    lots: list[Lot] = []
    owed: int = 0
    """What bills above their holds took beyond every lot; new credit pays it first."""

    def free(self, now: int) -> int:
        """Return what new queries may reserve."""
        return sum(lot.free(now) for lot in self.lots) - self.owed

    def add(self, lot: Lot) -> None:
        """Take a new lot."""
        paid = min(self.owed, lot.left)
        lot.left -= paid
        self.owed -= paid
        self.lots.append(lot)
        self.lots.sort(key=lambda each: each.expires)

    def reserve(self, usd: int, now: int) -> Reserved:
        """Reserve an amount that is free."""
        taken: Reserved = []
        for lot in self.lots:
            if part := min(usd, lot.free(now)):
                lot.reserved += part
                usd -= part
                taken.append((lot, part))
        assert usd <= 0, "more was reserved than was free"
        return taken

    def draw(self, reserved: Reserved, usd: int, now: int) -> list[tuple[Lot, int]]:
        """Release what was reserved and draw what was spent; return what each lot paid."""
        drawn = []
        for lot, part in reserved:
            lot.reserved -= part
            paid = min(usd, part)
            lot.left -= paid
            usd -= paid
            if paid:
                drawn.append((lot, paid))
        return drawn + self._overdraw(usd, now) if usd else drawn

    def _overdraw(self, usd: int, now: int) -> list[tuple[Lot, int]]:
        """Draw what a bill above its hold needs from what is free; the rest is owed."""
        drawn = []
        for lot in self.lots:
            if paid := min(usd, lot.free(now)):
                lot.left -= paid
                usd -= paid
                drawn.append((lot, paid))
        self.owed += usd
        return drawn
