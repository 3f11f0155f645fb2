"""What the ledger posted in a period: the one query that every version of an export is made from.

A query is posted when its cost became known: when it ended, or when an unresolved one was settled
from evidence or at its maximum. So what an export says of a period stays so, whatever is settled
later.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from farthing.ledger.commitment import PPM
from farthing.ledger.cursor import Cursor
from farthing.ledger.entry import Draw, Overrun, Warned
from farthing.ledger.records import METERS, entries, keys, queries, scopes

Row = dict[str, Any]
# Rows that are fetched at once, so that memory does not grow with the ledger.
FETCHED = 2000

POSTED = ("settled", "posted")
COLUMNS = (
    *("id", "position", "began", "ended", "key", "path", "provider", "model", "answered_model"),
    *("status", "price_book", "cost", "tokens", "list_cost", "from_credit", "from_commitment"),
    *("effective", "end_position", *METERS),
)


class Unknown(NamedTuple):
    """Queries of the period whose cost nobody knows: in no cost, and so to be named."""

    queries: int
    at_most: int
    """What those with a bound can have cost together."""
    unbounded: int
    """How many have no bound."""


def posted(connection: sa.Connection, ledger: str, since: int, until: int) -> Iterator[Row]:
    """Yield the queries that were posted in a period, in the journal's order, a few at a time."""
    c = queries.c
    mine = (c.ledger == ledger) & c.status.in_(POSTED) & (c.ended >= since) & (c.ended < until)
    asked = sa.select(*(c[name] for name in COLUMNS)).where(mine).order_by(c.end_position)
    streamed = connection.execution_options(yield_per=FETCHED).execute(asked)
    for some in streamed.mappings().partitions():
        yield from map(dict, some)


def unknown(connection: sa.Connection, ledger: str, since: int, until: int) -> Unknown:
    """Return what the period has of queries without a known cost."""
    c = queries.c
    mine = (c.ledger == ledger) & (c.status == "unresolved")
    within = mine & (c.ended >= since) & (c.ended < until)
    counted = sa.select(c.unpriced, sa.func.count(), sa.func.sum(c.held)).where(within)
    found = {
        bool(free): (n, held) for free, n, held in connection.execute(counted.group_by(c.unpriced))
    }
    bounded, free = found.get(False, (0, 0)), found.get(True, (0, 0))
    return Unknown(bounded[0] + free[0], int(bounded[1]), free[0])


def entered(connection: sa.Connection, ledger: str, *kinds: str) -> list[Row]:
    """Return the entries of some kinds with their fields and their places in the journal."""
    c = entries.c
    mine = (c.ledger == ledger) & c.kind.in_(kinds)
    asked = sa.select(c.position, c.kind, c.entry).where(mine).order_by(c.position)
    return [
        {**msgspec.json.decode(told), "position": position, "kind": kind}
        for position, kind, told in connection.execute(asked)
    ]


class Lineage:
    """What made scopes and keys belong to."""

    def __init__(self, connection: sa.Connection, ledger: str) -> None:
        made = sa.select(scopes.c.scope, scopes.c.parent).where(scopes.c.ledger == ledger)
        owned = sa.select(keys.c.id, keys.c.parent).where(keys.c.ledger == ledger)
        self._parents = {row.scope: row.parent for row in connection.execute(made)}
        for key, parent in connection.execute(owned):
            self._parents[f"key:{key}"] = parent

    def of(self, scope: str) -> list[str]:
        """Return a scope and those it belongs to, the nearest first."""
        found = [scope]
        while above := self._parents.get(found[-1]):
            found.append(above)
        return found


class Places:
    """Which leaf of the transparency log is of which entry of the journal.

    Every entry but a hold is a leaf, in the journal's order, so an entry's leaf is its place less
    the holds before it. Eight bytes are kept for each hold.
    """

    def __init__(self, connection: sa.Connection, ledger: str) -> None:
        asked = sa.select(queries.c.position).where(queries.c.ledger == ledger)
        ordered = asked.order_by(queries.c.position)
        rows = connection.execution_options(yield_per=100 * FETCHED).execute(ordered)
        self._holds = array("q", (position for (position,) in rows))

    def leaf(self, position: int) -> int:
        """Return the index of the leaf of an entry that is no hold."""
        return position - 1 - bisect_left(self._holds, position)


class Opening(NamedTuple):
    """A tranche that waited for the one before it, and opened."""

    commitment: str
    tranche: int
    at: int
    position: int


class Draws:
    """What paid for queries, and the tranches that opened by it.

    Draws are in the journal alone, behind the ending that they pay for: it is read once, and three
    numbers are kept of each of a commitment's.
    """

    def __init__(self, journal: Path, commitments: list[Row], *, read: bool = True) -> None:
        self._endings, self._sources, self._usd = array("q"), array("H"), array("q")
        self._names: dict[str, int] = {}
        self._waiting = {
            f"commitment:{c['id']}/{number}": (
                (c["id"], number + 1), before["usd"] * after["after_ppm"]
            )
            for c in commitments
            for number, (before, after) in enumerate(
                zip(c["tranches"], c["tranches"][1:], strict=False), start=1
            )
            if after["after_ppm"]
        }  # fmt: skip
        self.drawn: Counter[str] = Counter()
        """How much of each source is drawn: "credit:ID" and "commitment:ID/TRANCHE"."""
        self.openings: list[Opening] = []
        if read:
            with closing(Cursor(journal)) as cursor:
                self._read(cursor)
        self._listed = list(self._names)

    def _read(self, cursor: Cursor) -> None:
        before, ending = 0, 0
        while found := cursor.read():
            for position, entry in enumerate(found, before + 1):
                if isinstance(entry, Draw):
                    self._take(entry, ending, position)
                elif not isinstance(entry, Overrun | Warned):
                    ending = position
            before += len(found)

    def _take(self, draw: Draw, ending: int, position: int) -> None:
        self.drawn[draw.source] += draw.usd
        if not draw.source.startswith("commitment:"):
            return
        self._endings.append(ending)
        self._sources.append(self._names.setdefault(draw.source, len(self._names)))
        self._usd.append(draw.usd)
        waiting = self._waiting.get(draw.source)
        if waiting and self.drawn[draw.source] * PPM >= waiting[1]:
            del self._waiting[draw.source]
            self.openings.append(Opening(*waiting[0], draw.at, position))

    def of(self, ending: int) -> list[tuple[str, int]]:
        """Return what paid for the query whose ending is at a position: sources and nanodollars."""
        first, last = bisect_left(self._endings, ending), bisect_right(self._endings, ending)
        return [(self._listed[self._sources[n]], self._usd[n]) for n in range(first, last)]
