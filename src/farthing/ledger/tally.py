"""What every scope has spent and holds, added up beside the state machine, to hold it against.

Nothing of the state machine's arithmetic is used: a limit that it keeps by a wrong sum is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable

from farthing.ledger.entry import (
    Entry,
    Expire,
    Hold,
    Limit,
    Resolve,
    Settle,
    Unresolved,
    Void,
    WriteOff,
)
from farthing.ledger.meter import UNITS

Sums = tuple[list[int], list[int]]
"""Posted and held, in each of UNITS."""


class Tally:
    """Sums by scope, and the limits on them that have no window."""

    def __init__(self) -> None:
        self.sums: dict[str, Sums] = {}
        self._open: dict[str, tuple[Hold, tuple[str, ...], list[int]]] = {}
        """Of each open query: its hold, the scopes it counts on, what it holds of them."""
        self._limits: dict[tuple[str, str], int | None] = {}
        """By scope and unit; None for a soft one, which comes before that of its kind."""

    def hold(self, entry: Hold, scopes: Iterable[str]) -> None:
        """Count a hold on those scopes of its path that have an account."""
        held = [entry.usd, entry.tokens, 1, 1]
        counted = tuple(scopes)
        self._open[entry.id] = (entry, counted, held)
        for scope in counted:
            _add(self.of(scope)[1], held, 1)

    def take(self, entry: Entry) -> None:
        """Count what is no hold."""
        if isinstance(entry, Limit) and entry.window == "ever":
            self._limits.pop((entry.scope, entry.unit), None)
            if entry.amount is not None:
                self._limits[entry.scope, entry.unit] = None if entry.soft else entry.amount
        elif isinstance(entry, Unresolved):
            self._stop(entry.id)
        elif isinstance(entry, Settle | Void | Resolve | Expire | WriteOff):
            hold, scopes, held = self._open.pop(entry.id)
            for scope in scopes:
                posted, holding = self.of(scope)
                _add(posted, _spent(entry, hold), 1)
                _add(holding, held, -1)

    def _stop(self, query: str) -> None:
        """An unresolved query is no longer running."""
        _, scopes, held = self._open[query]
        held[3] = 0
        for scope in scopes:
            self.of(scope)[1][3] -= 1

    def of(self, scope: str) -> Sums:
        """Return a scope's sums."""
        return self.sums.setdefault(scope, ([0, 0, 0, 0], [0, 0, 0, 0]))

    def limits(self, scope: str) -> Iterable[tuple[str, int, int, int]]:
        """Yield a scope's limits without a window: unit, amount, posted, held."""
        kind = scope.partition(":")[0]
        posted, held = self.of(scope)
        for place, unit in enumerate(UNITS):
            own = (scope, unit)
            amount = self._limits.get(own if own in self._limits else (f"{kind}:*", unit))
            if amount is not None:
                yield unit, amount, posted[place], held[place]


def _spent(entry: Settle | Void | Resolve | Expire | WriteOff, hold: Hold) -> list[int]:
    if isinstance(entry, Settle):
        return [entry.usd, entry.usage.tokens(), 1, 0]
    if isinstance(entry, Resolve):
        return [entry.usd, hold.tokens if entry.tokens is None else entry.tokens, 1, 0]
    if isinstance(entry, Expire):
        return [hold.usd, hold.tokens, 1, 0]
    return [0, 0, int(isinstance(entry, WriteOff)), 0]


def _add(sums: list[int], amounts: list[int], times: int) -> None:
    for place, amount in enumerate(amounts):
        sums[place] += times * amount
