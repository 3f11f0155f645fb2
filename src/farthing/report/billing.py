"""An export of Cost and Usage: from the records to a file, with what it says of itself.

Beside the file stands OUT.metadata.json: what it is made of, which leaves of the transparency log
it covers, its sums, and the queries whose cost is not known, which no row has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from farthing import money
from farthing.clock import iso
from farthing.ledger.records import queries
from farthing.report.charges import Charge, Charging, Costs
from farthing.report.focus import CURRENCY, Ledger, rows
from farthing.report.layout import COST_AND_USAGE, of_version
from farthing.report.meters import Pricing
from farthing.report.postings import (
    Draws,
    Lineage,
    Places,
    Row,
    Unknown,
    entered,
    posted,
    unknown,
)
from farthing.report.purchases import Purchase, purchases
from farthing.report.tabular import json_text, write

Progress = Callable[[int, int], None]
"""Hears how many queries of how many are done."""

# How often progress is told.
STEP = 1000


class Wanted(NamedTuple):
    """What an export is of, and how it is written."""

    version: str
    since: int
    until: int
    """The period, in nanoseconds since 1970; it ends before this moment."""
    form: str
    out: Path
    users: bool = False
    """Whether end users are named."""


class Kept(NamedTuple):
    """Where what the records do not have is kept."""

    journal: Path
    books: Path
    lists: Mapping[str, str]
    """By whose prices each provider's models go."""


class Exported(NamedTuple):
    """What an export came to."""

    rows: int
    queries: int
    costs: Costs
    purchased: int
    unknown: Unknown
    beyond: int
    """How many rows point at leaves that the newest checkpoint does not cover yet."""
    sidecar: Path


class _Tally:
    """Sums charges and purchases as they pass."""

    def __init__(self, tree_size: int | None) -> None:
        self._size = tree_size or 0
        self.costs = [0] * len(Costs._fields)
        self.purchased = self.beyond = 0
        self.first: int | None = None
        self.last: int | None = None

    def charges(self, found: Iterable[Charge]) -> Iterator[Charge]:
        """Pass charges on."""
        for charge in found:
            self.costs = [a + b for a, b in zip(self.costs, charge.costs, strict=True)]
            self._cover(charge.first, charge.last)
            yield charge

    def purchases(self, found: Iterable[Purchase]) -> Iterator[Purchase]:
        """Pass purchases on."""
        for purchase in found:
            self.purchased += purchase.paid
            self._cover(purchase.leaf, purchase.leaf)
            yield purchase

    def _cover(self, first: int, last: int) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
        self.beyond += last >= self._size


def export(
    connection: sa.Connection,
    ledger: Ledger,
    kept: Kept,
    wanted: Wanted,
    progress: Progress = lambda *_: None,
) -> Exported:
    """Write Cost and Usage of a period.

    Raises:
        ConfigError: the file cannot be written, or a package is missing that Parquet needs.
    """
    begins, ends = wanted.since, wanted.until
    of_ledger = (connection, ledger.id, begins, ends)
    found = entered(connection, ledger.id, "top-up", "commitment", "exercise")
    places, lineage = Places(connection, ledger.id), Lineage(connection, ledger.id)
    commitments = [row for row in found if row["kind"] == "commitment"]
    draws = Draws(kept.journal, commitments, read=bool(commitments))
    charging = Charging(
        Pricing(kept.books, kept.lists, commitments), draws, places, users=wanted.users
    )
    bought = purchases(found, draws, lineage, places, users=wanted.users)
    within = [purchase for purchase in bought if begins <= purchase.at < ends]
    tally = _Tally(ledger.tree_size)
    told = _told(posted(*of_ledger), _count(*of_ledger), progress)
    records = rows(ledger, tally.charges(charging.charges(told)), tally.purchases(within))
    columns = of_version(COST_AND_USAGE, wanted.version, users=wanted.users)
    count = write(wanted.out, wanted.form, columns, records)
    sidecar = wanted.out.with_name(f"{wanted.out.name}.metadata.json")
    made = Exported(
        count, charging.queries, Costs(*tally.costs), tally.purchased, unknown(*of_ledger),
        tally.beyond, sidecar,
    )  # fmt: skip
    span = {"first_index": tally.first, "last_index": tally.last}
    sidecar.write_text(json_text(_metadata(ledger, wanted, made, span)) + "\n")
    return made


def _count(connection: sa.Connection, ledger: str, since: int, until: int) -> int:
    """Return about how many queries are to be read: those that the period has, of any ending."""
    c = queries.c
    within = (c.ledger == ledger) & (c.ended >= since) & (c.ended < until)
    return connection.execute(sa.select(sa.func.count()).where(within)).scalar_one()


def _told(found: Iterable[Row], total: int, progress: Progress) -> Iterator[Row]:
    for done, row in enumerate(found):
        if done % STEP == 0:
            progress(done, total)
        yield row
    progress(total, total)


def _metadata(ledger: Ledger, wanted: Wanted, made: Exported, span: dict[str, Any]) -> Any:
    dollars = {name: money.dollars(usd) for name, usd in made.costs._asdict().items()}
    with wanted.out.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "specification": f"FOCUS {wanted.version}, Cost and Usage",
        "file": {"name": wanted.out.name, "sha256": digest, "rows": made.rows},
        "period": {"since": iso(wanted.since), "until": iso(wanted.until)},
        "currency": CURRENCY,
        "ledger": {
            "id": ledger.id, "log_origin": ledger.origin, "log_tree_size": ledger.tree_size, **span,
            "rows_beyond_the_tree": made.beyond,
        },
        "queries": made.queries,
        "sums_usd": {**dollars, "purchased": money.dollars(made.purchased)},
        "unknown": {
            "queries": made.unknown.queries,
            "at_most_usd": money.dollars(made.unknown.at_most),
            "without_bound": made.unknown.unbounded,
        },
    }  # fmt: skip
