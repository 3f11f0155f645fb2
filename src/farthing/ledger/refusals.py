"""Counts the queries that are refused, so that many of them make few entries."""

from __future__ import annotations

from farthing.ledger.entry import Refusal, Refusals

# A minute's entries stay under some 30 kB: what is refused beyond so many limits is counted by the
# kind of its scope alone. Clients choose names of users and tags, and so how many there are.
KINDS_MOST = 256

Why = tuple[str, str, str, str]


class RefusalCounts:
    """What was refused since it was last told."""

    def __init__(self) -> None:
        self._counts: dict[Why, list[int]] = {}

    def count(self, refusal: Refusal, at: int) -> None:
        """Count a query that was refused at a moment."""
        why = (refusal.code, refusal.scope, refusal.unit, refusal.window)
        known = self._counts.get(why)
        if known is None and len(self._counts) >= KINDS_MOST:
            kind = refusal.scope.partition(":")[0]
            why = (refusal.code, f"{kind}:*", refusal.unit, refusal.window)
            known = self._counts.get(why)
        if known is None:
            self._counts[why] = [at, at, 1]
        else:
            known[0], known[1] = min(known[0], at), max(known[1], at)
            known[2] += 1

    def take(self, now: int) -> list[Refusals]:
        """Return what was counted, as entries, and begin anew."""
        counts, self._counts = self._counts, {}
        return [
            Refusals(now, since, until, *why, count)
            for why, (since, until, count) in counts.items()
        ]

    def put_back(self, entries: list[Refusals]) -> None:
        """Count entries again that could not be recorded."""
        for told in entries:
            why = (told.code, told.scope, told.unit, told.window)
            since, until, count = self._counts.get(why, (told.since, told.until, 0))
            first, last = min(since, told.since), max(until, told.until)
            self._counts[why] = [first, last, count + told.count]
