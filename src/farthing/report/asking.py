"""Rows of facts that a query chooses, and what a query comes to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from farthing import clock, money
from farthing.report.columns import UNKNOWN, Facts, Flags, Integers
from farthing.report.performance import classified, pace_of

Query = dict[str, Any]
Value = int | str | None

PLACES = 6
AMOUNTS = frozenset({"cost", "list_cost", "effective", "held", "released"})
TOKENS = (
    "input", "cache_read", "cache_write", "cache_write_1h", "output", "input_audio", "output_audio",
    "input_image", "output_image",
)  # fmt: skip
"""The meters that are tokens; reasoning is a part of output."""
SUMMED = {"tokens": TOKENS, "cache_writes": ("cache_write", "cache_write_1h")}


class Answer(NamedTuple):
    """What a query came to."""

    value: Value
    """A count, an exact decimal string, or None: then there is nothing to tell it from."""
    n: int
    """How many leaves it is made of."""
    first: int | None = None
    """The first and last of them, by index."""
    last: int | None = None
    low: Value = None
    """A 95 % confidence interval, where it has one."""
    high: Value = None


class QueryError(ValueError):
    """A query that cannot be asked."""


class Asking:
    """Facts that are asked, with the rows of conditions that come again."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._codes = {name: code for code, name in enumerate(facts.names)}
        self._condition = lru_cache(48)(self._condition_of)

    def rows(self, where: dict[str, Any]) -> Flags:
        """Return which rows are as a condition says."""
        chosen = np.ones(len(self.facts), np.bool_)
        for name, wanted in where.items():
            if name == "not":
                for other in wanted:
                    chosen &= ~self.rows(other)
                continue
            chosen &= self._condition(name, tuple(wanted) if isinstance(wanted, list) else wanted)
        return chosen

    def _condition_of(self, name: str, wanted: Any) -> Flags:
        if name in CONDITIONS:
            return CONDITIONS[name](self.facts, wanted)
        column = getattr(self.facts, name)
        if column.dtype == np.bool_:
            return np.asarray(column == bool(wanted))
        return np.isin(column, [self._codes.get(value, UNKNOWN) for value in wanted])

    def column(self, name: str) -> Integers:
        """Return a column of amounts or times, or what was used of a meter."""
        facts = self.facts
        if name == "released":
            return facts.held - facts.cost
        if name == "pace":
            return np.asarray(pace_of(facts, facts.stream)[1])
        if name in SUMMED:
            total: Integers = np.sum([facts.usage[m] for m in SUMMED[name]], axis=0, dtype=np.int64)
            return total
        found: Integers = facts.usage[name] if name in facts.usage else getattr(facts, name)
        return found


def moment(iso: str) -> int:
    """Return a moment as queries write it in nanoseconds since 1970."""
    return int(datetime.fromisoformat(iso).timestamp()) * clock.SECOND


CONDITIONS: dict[str, Callable[[Facts, Any], Flags]] = {
    "at": lambda facts, span: (facts.at >= moment(span[0])) & (facts.at < moment(span[1])),
    "kind": lambda facts, kinds: facts.of(*kinds),
    "cost": lambda facts, word: (facts.cost == UNKNOWN) == (word == "unknown"),
    "http_status": lambda facts, span: (
        (facts.http_status >= span[0]) & (facts.http_status <= span[1])
    ),
    "flowing": lambda facts, word: pace_of(facts, facts.stream)[0] == word,
    "outcome": lambda facts, names: np.logical_or.reduce([classified(facts)[1][n] for n in names]),
    "first_byte_us": lambda facts, word: (facts.first_byte_us > 0) == (word == "known"),
}


def exact_sum(values: Integers) -> int:
    """Return a sum that no number of rows makes overflow."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


def ratio(part: int, whole: int, times: int = 1) -> str | None:
    """Return a decimal of six places, rounded half up; None of nothing."""
    if whole == 0:
        return None
    scaled = (2 * part * times * 10**PLACES + whole) // (2 * whole)
    return f"{scaled // 10**PLACES}.{scaled % 10**PLACES:0{PLACES}d}"


def worth(name: str, total: int) -> Value:
    """Return a total as it is written: dollars as a decimal string, all else as a number."""
    return money.dollars(total) if name in AMOUNTS else total


def span(asking: Asking, chosen: Flags) -> tuple[int, int | None, int | None]:
    """Return how many rows are chosen, and the first and last of their leaves."""
    found = np.flatnonzero(chosen)
    if not len(found):
        return 0, None, None
    index = asking.facts.index
    return len(found), int(index[found[0]]), int(index[found[-1]])
