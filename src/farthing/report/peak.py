"""The most that was posted and held at once in any window of a limit, from the leaves alone.

Each query counts in the window it was admitted in, from its hold's place in the journal on: held
until it ends, posted afterwards. Those places are the order in which the ledger decided. A limit
without a window counts from the first query of the log on, and what is unresolved stays held.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from farthing import clock
from farthing.report.asking import Answer, Asking, span
from farthing.report.columns import NONE, Facts, Flags, Integers
from farthing.report.outside import Held, chosen, is_of

# A calendar window → nanoseconds, or None: months have different lengths.
WINDOWS = {"hour": 3600 * clock.SECOND, "day": 86_400 * clock.SECOND, "month": None}
ENDED = ("settled", "void", "resolved", "posted", "written-off")
FIRST = ("settled", "void", "unresolved")
UNITS = ("usd", "requests", "concurrent")


def peak_of(asking: Asking, where: dict[str, Any], unit: str, window: str) -> Answer:
    """Return the peak of what a condition on scopes chooses, in any window begun in the period.

    Its value is a number of nanodollars or queries, or None where leaves do not tell it.
    """
    if unit not in UNITS or window not in (*WINDOWS, "ever"):
        return Answer(None, 0)
    facts, rows = asking.facts, asking.rows(where)
    running = chosen(facts.running, where)
    places, changes, began = _events(facts, rows, running, unit)
    order = np.argsort(places, kind="stable")
    spans = [span(asking, rows), *_spans(running)]
    if window == "ever":
        before, more = _before(facts, where, unit)
        return _answer(before + _highest(np.zeros(len(order), np.int64), changes[order]),
                       [*spans, *more])  # fmt: skip
    windows = _windows(began, window)
    order = order[np.argsort(windows[order], kind="stable")]
    order = order[began[order] >= facts.range.since]
    return _answer(_highest(windows[order], changes[order]), spans)


Span = tuple[int, int | None, int | None]
"""How many leaves, the first and the last of them."""


def _answer(value: int, spans: list[Span]) -> Answer:
    edges = [edge for _, *both in spans for edge in both if edge is not None]
    first, last = (min(edges), max(edges)) if edges else (None, None)
    return Answer(value, sum(n for n, _, _ in spans), first, last)


def _spans(held: list[Held]) -> Iterator[Span]:
    return ((1, each.leaf, each.leaf) for each in held)


def _events(
    facts: Facts, rows: Flags, running: list[Held], unit: str
) -> tuple[Integers, Integers, Integers]:
    """Return where in the journal something changed, by how much, and of a query begun when."""
    # What ends a query that was unresolved is no hold of its own.
    holds = rows & (facts.resolves < 0)
    if unit == "concurrent":  # nothing runs any more that is unresolved
        holds = ends = rows & facts.of(*FIRST) & (facts.resolves == NONE)
    else:
        ends = rows & facts.of(*ENDED)
    held = facts.held if unit == "usd" else np.ones(len(facts), np.int64)
    open_ = np.array([_still(each, unit) for each in running], np.int64).reshape(-1, 3).T
    after = _posted(facts, unit)
    places = np.concatenate([facts.hold[holds], facts.entry[ends], open_[0]])
    changes = np.concatenate([held[holds], (after - held)[ends], open_[1]])
    return places, changes, np.concatenate([facts.began[holds], facts.began[ends], open_[2]])


def _still(each: Held, unit: str) -> tuple[int, int, int]:
    return each.hold, each.usd if unit == "usd" else 1, each.began


def _before(facts: Facts, where: dict[str, Any], unit: str) -> tuple[int, list[Span]]:
    """Return what was posted before the period, with what was held before it and still is."""
    if unit == "concurrent":
        return 0, []
    spent = [each for whose, each in facts.spent.items() if is_of(whose, where)]
    carried = chosen(facts.carried, where)
    if unit == "usd":
        whole = sum(each.usd for each in spent) + sum(each.usd for each in carried)
    else:
        whole = sum(each.requests for each in spent) + len(carried)
    return whole, [*((each.n, each.first, each.last) for each in spent), *_spans(carried)]


def _posted(facts: Facts, unit: str) -> Integers:
    """Return what stays counted of a query that has ended."""
    if unit == "usd":
        return np.maximum(facts.cost, 0)
    return np.where(facts.of("void") | (unit == "concurrent"), 0, 1).astype(np.int64)


def _windows(began: Integers, window: str) -> Integers:
    length = WINDOWS[window]
    if length is not None:
        return began // length
    return began.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)


def _highest(windows: Integers, changes: Integers) -> int:
    """Return the highest running sum within any window."""
    if not len(changes):
        return 0
    running = np.cumsum(changes)
    starts = np.flatnonzero(np.r_[True, windows[1:] != windows[:-1]])
    before = np.r_[0, running[starts[1:] - 1]]
    return int((np.maximum.reduceat(running, starts) - before).max())
