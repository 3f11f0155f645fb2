"""Which queries were ever held: for good, in memory that does not grow with them.

The gateway's ids (proxy/ids.py) are a time, a process's run, and a rising count. A process asks
for its holds nearly in the order of that count, so of each run the latest counts are kept one by
one, and every one below them is taken as seen: a query that comes that late is refused, never
held twice. Ids of another shape are all remembered.
"""

from __future__ import annotations

import msgspec

LENGTH = 31
RUN = slice(13, 23)
COUNT = slice(23, 31)

# How far behind the newest of its process a query may be when it is held, at least.
LATE = 4096

# Runs whose latest counts are kept; of older ones, which have long ended, only the last count.
LIVE = 64


class Run(msgspec.Struct):
    """The counts seen of one process's run, as its ids spell them."""

    below: str = ""
    """Every count up to this one is taken as seen."""
    latest: set[str] = set()

    def add(self, count: str) -> None:
        """Remember a count; forget the lower half when there are too many to keep."""
        self.latest.add(count)
        if len(self.latest) > 2 * LATE:
            ordered = sorted(self.latest)
            self.below = ordered[LATE]
            self.latest = set(ordered[LATE + 1 :])


class Seen:
    """The ids of all queries that were ever held."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.others: set[str] = set()

    def __contains__(self, query: str) -> bool:
        if len(query) != LENGTH:
            return query in self.others
        run = self.runs.get(query[RUN])
        if run is None:
            return False
        count = query[COUNT]
        return count in run.latest or count <= run.below

    def add(self, query: str) -> None:
        """Remember an id."""
        if len(query) != LENGTH:
            self.others.add(query)
            return
        run = self.runs.get(query[RUN])
        if run is None:
            run = self.runs[query[RUN]] = Run()
            self._close_old()
        run.add(query[COUNT])

    def _close_old(self) -> None:
        """Keep the last count alone of the run that is no longer among the latest."""
        if len(self.runs) > LIVE:
            old = self.runs[list(self.runs)[-LIVE - 1]]
            old.below, old.latest = max([old.below, *old.latest]), set()
