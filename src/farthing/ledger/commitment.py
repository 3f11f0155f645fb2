"""Purchase commitments: what was agreed with a provider, in tranches, and what is drawn of it.

A commitment limits nothing: usage beyond it is billed like any other. It says what a query costs
under its discount, which tranche pays for it, and what of it will be left unused.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from farthing import money
from farthing.ledger.entry import Commitment, Draw, Exercise, Refusal, Tranche
from farthing.ledger.registry import invalid
from farthing.money import MOST

PPM = 1_000_000


class TrancheState(msgspec.Struct):
    """A tranche: how much of it there is by now, and how much is drawn."""

    terms: Tranche
    usd: int = 0
    """What can be drawn of it in its time."""
    drawn: int = 0

    def free(self, now: int) -> int:
        """Return what can be drawn at a moment."""
        return self.usd - self.drawn if self.terms.starts <= now < self.terms.ends else 0

    def draw(self, usd: int) -> int:
        """Draw an amount; return what that much was bought for.

        Rounded down on the running total, so that all draws together come to the price exactly.
        """
        paid, whole, before = self.terms.paid, self.terms.usd, self.drawn
        self.drawn += usd
        return paid * self.drawn // whole - paid * before // whole


class CommitmentState(msgspec.Struct):
    """A commitment and its tranches."""

    terms: Commitment
    tranches: list[TrancheState]

    def open_next(self) -> None:
        """Open the tranches that wait for the one before them to be drawn."""
        for before, tranche in zip(self.tranches, self.tranches[1:], strict=False):
            part = tranche.terms.after_ppm
            if part and not tranche.usd and before.drawn * PPM >= before.terms.usd * part:
                tranche.usd = tranche.terms.usd


class Commitments:
    """All commitments, by id."""

    def __init__(self) -> None:
        self.by_id: dict[str, CommitmentState] = {}

    def add(self, entry: Commitment) -> Refusal | None:
        """Take a commitment of which nothing is drawn yet."""
        if entry.id in self.by_id:
            return Refusal("duplicate")
        refusal = _shape(entry)
        if refusal is None:
            tranches = [
                TrancheState(t, 0 if t.on_call or t.after_ppm else t.usd) for t in entry.tranches
            ]
            self.by_id[entry.id] = CommitmentState(entry, tranches)
        return refusal

    def exercise(self, entry: Exercise) -> Refusal | None:
        """Make some of a tranche on call drawable."""
        known = self.by_id.get(entry.commitment)
        if known is None or not 0 < entry.tranche <= len(known.tranches):
            return invalid("there is no such tranche; `farthing commitments list` shows them")
        tranche = known.tranches[entry.tranche - 1]
        if not tranche.terms.on_call or entry.at >= tranche.terms.ends:
            return invalid("nothing of this tranche can be called: it is not on call, or has ended")
        most = tranche.terms.usd - tranche.usd
        if not 0 < entry.usd <= most:
            left = money.dollars(most)
            return invalid(f"${left} of this tranche can be called; write an amount up to that")
        tranche.usd += entry.usd
        return None

    def draw(self, provider: str, usd: int, now: int, query: str) -> list[Draw]:
        """Draw what a query cost: first from the tranche that ends first."""
        draws: list[Draw] = []
        if not self.by_id:
            return draws
        mine = [c for c in self.by_id.values() if c.terms.provider == provider]
        for commitment, number in sorted(
            ((c, n) for c in mine for n in range(len(c.tranches))),
            key=lambda each: each[0].tranches[each[1]].terms.ends,
        ):
            tranche = commitment.tranches[number]
            if paid := min(usd, tranche.free(now)):
                source = f"commitment:{commitment.terms.id}/{number + 1}"
                draws.append(Draw(now, query, source, paid, tranche.draw(paid)))
                usd -= paid
                commitment.open_next()
        return draws


def contracted(list_usd: int, provider: str, terms: Iterable[Commitment], now: int) -> int:
    """Return what a list price comes to under the best discount in force, rounded up once."""
    discounts = [
        t.discount_ppm for t in terms if t.provider == provider and t.starts <= now < t.ends
    ]
    if not discounts:
        return list_usd
    return -(-list_usd * (PPM - max(discounts)) // PPM)


def _shape(entry: Commitment) -> Refusal | None:
    """Return what is wrong with a commitment in itself."""
    if not entry.tranches:
        return invalid("a commitment has one tranche at least")
    if entry.starts >= entry.ends or not 0 <= entry.discount_ppm <= PPM:
        return invalid("a commitment begins before it ends, and its discount is a part of one")
    refusals = (_tranche_shape(n, tranche) for n, tranche in enumerate(entry.tranches, start=1))
    return next((refusal for refusal in refusals if refusal is not None), None)


def _tranche_shape(number: int, tranche: Tranche) -> Refusal | None:
    amounts = 0 < tranche.usd <= MOST and 0 <= tranche.paid <= MOST
    if not amounts or not 0 <= tranche.after_ppm <= PPM:
        return invalid(f"tranche {number} needs an amount above nothing")
    if tranche.starts >= tranche.ends:
        return invalid(f"tranche {number} ends before it begins")
    if tranche.after_ppm and number == 1:
        return invalid("tranche 1 has none before it that it could wait for")
    if tranche.after_ppm and tranche.on_call:
        return invalid(f"tranche {number} cannot wait for another one and be called as well")
    return None
