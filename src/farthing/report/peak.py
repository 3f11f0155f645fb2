"""The most that was posted and held at once in any window of a limit, from the leaves alone.

Each query counts in the window it was admitted in, from its hold's place in the journal on: held
until it ends, posted afterwards. Those places are the order in which the ledger decided.
"""

from __future__ import annotations

import numpy as np

from farthing import clock
from farthing.report.columns import Facts, Flags, Integers

# A calendar window → nanoseconds, or None: months have different lengths.
WINDOWS = {"hour": 3600 * clock.SECOND, "day": 86_400 * clock.SECOND, "month": None}
ENDED = ("settled", "void", "resolved", "posted", "written-off")


def peak_of(facts: Facts, chosen: Flags, unit: str, window: str) -> int | None:
    """Return the peak, of windows that began in the period; None where leaves do not tell it."""
    if unit not in ("usd", "requests", "concurrent") or window not in (*WINDOWS, "ever"):
        return None
    places, changes, began = _events(facts, chosen, unit)
    if not len(places):
        return 0
    windows = np.zeros(len(began), np.int64) if window == "ever" else _windows(began, window)
    within = began >= facts.range.since
    order = np.lexsort((places, windows))
    order = order[within[order]]
    return _highest(windows[order], changes[order])


def _events(facts: Facts, chosen: Flags, unit: str) -> tuple[Integers, Integers, Integers]:
    """Return where in the journal something changed, by how much, and of a query begun when."""
    ends = chosen & (facts.of(*ENDED) if unit != "concurrent" else facts.of(*_FIRST))
    holds = chosen & (facts.of(*_FIRST) | (facts.resolves < 0))
    held = facts.held if unit == "usd" else np.ones(len(facts), np.int64)
    after = _posted(facts, unit)
    places = np.concatenate([facts.hold[holds], facts.entry[ends]])
    changes = np.concatenate([held[holds], (after - held)[ends]])
    return places, changes, np.concatenate([facts.began[holds], facts.began[ends]])


_FIRST = ("settled", "void", "unresolved")


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
