"""Figures with what they rest on: how many, how sure, and from which leaves."""

from __future__ import annotations

import msgspec
import numpy as np

from farthing import money
from farthing.report.columns import Facts, Flags, Integers
from farthing.report.intervals import mean, rank, ranks, wilson

PERCENTS = (50, 95, 99)
# Enough to tell rates of a thousand million apart; it makes the same text everywhere.
DIGITS = 9


class Leaves(msgspec.Struct, frozen=True):
    """Between which leaves of the log everything lies that a figure counts."""

    first: int
    last: int


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """How many of how many, with Wilson's interval of 95 %."""

    count: int
    of: int
    rate: float | None
    """None of nothing."""
    low: float | None
    high: float | None
    leaves: Leaves | None


class Percentile(msgspec.Struct, frozen=True):
    """A percentile, and the interval of 95 % that two order statistics make."""

    value: int
    low: int | None
    """None, and `high` as well, where the values are too few to give an interval."""
    high: int | None


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles of whole numbers."""

    n: int
    unit: str
    p50: Percentile | None
    """None of nothing."""
    p95: Percentile | None
    p99: Percentile | None
    leaves: Leaves | None


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What queries cost, in dollars."""

    n: int
    unknown: int
    """How many more there are whose cost nobody knows."""
    total_usd: str
    mean_usd: str | None
    """Rounded up to the nanodollar."""
    mean_low_usd: str | None
    """An interval of 95 %, by the central limit theorem; None for fewer than 30."""
    mean_high_usd: str | None
    nanodollars: Percentiles
    leaves: Leaves | None


def leaves_of(facts: Facts, rows: Flags) -> Leaves | None:
    """Return between which leaves some rows are; None of none."""
    found = facts.index[rows]
    return Leaves(int(found[0]), int(found[-1])) if len(found) else None


def rate(facts: Facts, counted: Flags, of: Flags) -> Rate:
    """Return how many rows `of` some are `counted`."""
    return rate_of(int((counted & of).sum()), int(of.sum()), leaves_of(facts, of))


def rate_of(count: int, of: int, leaves: Leaves | None) -> Rate:
    """Return a rate of what was counted."""
    low, high = wilson(count, of) or (None, None)
    told = count / of if of else None
    return Rate(count=count, of=of, rate=_rounded(told), low=_rounded(low), high=_rounded(high),
                leaves=leaves)  # fmt: skip


def percentiles(facts: Facts, rows: Flags, values: Integers, unit: str) -> Percentiles:
    """Return the percentiles of a column's values in some rows."""
    ordered = np.sort(values[rows])
    told = {f"p{percent}": _percentile(ordered, percent) for percent in PERCENTS}
    return Percentiles(n=len(ordered), unit=unit, leaves=leaves_of(facts, rows), **told)


def _percentile(ordered: Integers, percent: int) -> Percentile | None:
    if not len(ordered):
        return None
    value = int(ordered[rank(len(ordered), percent) - 1])
    between = ranks(len(ordered), percent)
    if between is None:
        return Percentile(value, None, None)
    return Percentile(value, int(ordered[between[0] - 1]), int(ordered[between[1] - 1]))


def costs(facts: Facts, rows: Flags) -> Costs:
    """Return what some rows cost, as far as that is known; amounts stay whole numbers."""
    known = rows & (facts.cost >= 0)
    amounts: list[int] = facts.cost[known].tolist()  # whose squares fit no machine's integer
    n, total = len(amounts), sum(amounts)
    middle, between = mean(total, sum(a * a for a in amounts), n) if n else (None, None)
    low, high = between or (None, None)
    return Costs(
        n=n,
        unknown=int((rows & ~known).sum()),
        total_usd=money.dollars(total),
        mean_usd=_dollars(middle),
        mean_low_usd=_dollars(low),
        mean_high_usd=_dollars(high),
        nanodollars=percentiles(facts, known, facts.cost, "nanodollars"),
        leaves=leaves_of(facts, known),
    )


def _dollars(amount: int | None) -> str | None:
    return None if amount is None else money.dollars(amount)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
