"""Verify a ledger: the journal against itself, and the records against the journal, row by row.

It takes no lock, so that a gateway can run meanwhile: the records are compared as they were at one
entry of the journal, and the journal is read to where it ends by then.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from farthing import money
from farthing.ledger.audit import COLUMNS, Audit, Contradiction, checked_groups, digest
from farthing.ledger.database import still
from farthing.ledger.groups import JournalGroups
from farthing.ledger.project import Batch, Place, Tell, catch_up, place_of
from farthing.ledger.records import keys, queries
from farthing.ledger.rows import Row

# How many rows are fetched at once.
FETCH = 5_000

UNENDED = ("open", "unresolved")
TOKENS = (
    "input", "cache_read", "cache_write", "cache_write_1h", "input_audio", "output", "output_audio",
)  # fmt: skip


class Checked(msgspec.Struct, frozen=True):
    """One thing that was checked, and how many of it."""

    what: str
    count: int


class Report(msgspec.Struct):
    """What was checked, and the first thing that is not as it must be."""

    ledger: str
    checked: list[Checked] = []
    tail: int = 0
    """Bytes after the last whole group: a tail that a crash tore, or a group being written."""
    contradiction: Contradiction | None = None


def verify(engine: sa.Engine, journal: Path, tell: Tell = lambda *_: None) -> Report:
    """Check everything until the first contradiction.

    Raises:
        FileNotFoundError: there is no journal.
    """
    with JournalGroups(journal) as groups:
        report = Report(groups.ledger())
        audit = Audit(report.ledger)
        try:
            _verify(engine, journal, groups, audit, report, tell)
        except Contradiction as found:
            report.contradiction = found
        report.checked[:0] = _of_the_journal(audit)
        return report


def _verify(
    engine: sa.Engine,
    journal: Path,
    groups: JournalGroups,
    audit: Audit,
    report: Report,
    tell: Tell,
) -> None:
    _same_journal(engine, groups, report.ledger)
    catch_up(engine, journal)
    with engine.connect() as connection:
        still(connection)
        place = place_of(connection, report.ledger) or Place(report.ledger)
        end = 0
        for group in checked_groups(groups):
            for number, entry in enumerate(group.entries, start=group.first):
                audit.take(entry, number)
            audit.counts.groups += 1
            end = group.end
            tell(end, groups.size)
            if audit.state.position == place.position:
                report.checked += _records(connection, groups, audit)
        if audit.state.position < place.position:
            raise Contradiction(
                audit.state.position + 1,
                "",
                f"cannot be read: the journal ends at byte {end}, and the records were made from "
                f"{place.position} entries of it",
            )
        audit.end()
    report.tail = groups.tail(end)
    # A check of what else is made from the journal (a snapshot of the state, say) goes here: it
    # has the state at the end, `audit.state`, and adds what it checked to the report.


def _same_journal(engine: sa.Engine, groups: JournalGroups, ledger: str) -> None:
    """Before anything is caught up, which would drop rows that another copy made."""
    with engine.connect() as connection:
        place = place_of(connection, ledger)
    if place is not None and not groups.has(place.group, place.checksum):
        raise Contradiction(
            place.position,
            "",
            f"is not the one that the records were made from: the journal's group at byte "
            f"{place.group} is another. Put back the right journal, or rebuild the records",
        )


def _of_the_journal(audit: Audit) -> list[Checked]:
    counts = audit.counts
    return [
        Checked("groups whose checksum holds", counts.groups),
        Checked("entries, numbered without a gap, that the state machine takes", counts.entries),
        Checked("holds, each of an id of its own", counts.holds),
        Checked("endings, each of one hold, once", counts.endings),
        Checked("limits kept after a hold", counts.limits),
        Checked("overruns, as their endings show them", counts.overruns),
    ]


# -- the records ----------------------------------------------------------------------------------


def _records(connection: sa.Connection, groups: JournalGroups, audit: Audit) -> list[Checked]:
    """Compare the records with the journal up to where they go."""
    return [
        _rows(connection, groups, audit),
        _keys(connection, audit),
        _sums(connection, audit),
        *_lists(connection, audit),
    ]


def _rows(connection: sa.Connection, groups: JournalGroups, audit: Audit) -> Checked:
    ledger, count = audit.state.ledger, 0
    mine = sa.select(queries).where(queries.c.ledger == ledger).order_by(queries.c.position)
    with connection.execution_options(yield_per=FETCH).execute(mine) as result:
        for row in result.mappings():
            if digest(dict(row)) != _expected(audit, row["id"]):
                raise _difference(dict(row), groups, ledger, audit.state.position)
            count += 1
    if count != len(audit.ended) + len(audit.rows.queries):
        raise _missing(connection, groups, audit)
    return Checked("records of queries that are what the journal says", count)


def _expected(audit: Audit, query: str) -> int | None:
    row = audit.rows.queries.get(query)
    return digest(row) if row is not None else audit.ended.get(query)


def _difference(row: Row, groups: JournalGroups, ledger: str, until: int) -> Contradiction:
    """Say how a row differs from what the journal's entries of its query make."""
    batch = Batch(ledger)
    for number, entry in groups.about(row["id"]):
        if number <= until:
            batch.take(entry, number)
    must = batch.queries.get(row["id"])
    if must is None:
        return Contradiction(row["position"], row["id"], "is in the records, not in the journal")
    differ = [
        f"{name} is {row[name]!r} in the records and {must[name]!r} in the journal"
        for name in COLUMNS
        if row[name] != must[name]
    ]
    return Contradiction(must["position"], row["id"], "; ".join(differ))


def _missing(connection: sa.Connection, groups: JournalGroups, audit: Audit) -> Contradiction:
    """Name the first query that the records have not."""
    mine = sa.select(queries.c.id).where(queries.c.ledger == audit.state.ledger)
    missing = {*audit.ended, *audit.rows.queries} - set(connection.execute(mine).scalars())
    numbers = {next(groups.about(query))[0]: query for query in missing}
    first = min(numbers)
    return Contradiction(first, numbers[first], "is in the journal and not in the records")


def _keys(connection: sa.Connection, audit: Audit) -> Checked:
    mine = sa.select(keys).where(keys.c.ledger == audit.state.ledger)
    found = {row["id"]: dict(row) for row in connection.execute(mine).mappings()}
    for id_ in sorted({*found, *audit.rows.keys}):
        ours, theirs = found.get(id_), audit.rows.keys.get(id_)
        if ours != theirs:
            what = f"the key is {ours} in the records and {theirs} in the journal"
            raise Contradiction(audit.state.position, id_, what)
    return Checked("keys that are what the journal says", len(found))


def _sums(connection: sa.Connection, audit: Audit) -> Checked:
    """The records' sums are the state machine's accounts, to the nanodollar and the token."""
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in connection.execute(_by_path(audit.state.ledger)).mappings():
        held = row["status"] in UNENDED
        for scope in msgspec.json.decode(row["path"], type=list[str]):
            for unit in ("usd", "tokens"):
                sums[scope, unit][held] += int(row[f"held_{unit}" if held else f"posted_{unit}"])
    accounts = {name: [a.posted, a.held] for name, a in audit.state.accounts.items()}
    for name in sorted({*sums, *accounts}):
        ours, theirs = accounts.get(name, [0, 0]), sums.get(name, [0, 0])
        for word, account, summed in zip(("posted", "held"), ours, theirs, strict=True):
            if account != summed:
                raise _unequal(audit, name, word, account, summed)
    return Checked("accounts whose sums are the records', to the nanodollar", len(accounts))


def _by_path(ledger: str) -> sa.Select[Any]:
    c = queries.c
    tokens = sum((sa.func.coalesce(sa.func.sum(c[name]), 0) for name in TOKENS), sa.literal(0))
    return (
        sa.select(
            c.path,
            c.status,
            sa.func.coalesce(sa.func.sum(c.cost), 0).label("posted_usd"),
            tokens.label("posted_tokens"),
            sa.func.sum(c.held).label("held_usd"),
            sa.func.sum(c.held_tokens).label("held_tokens"),
        )
        .where(c.ledger == ledger)
        .group_by(c.path, c.status)
    )


def _unequal(
    audit: Audit, name: tuple[str, str], word: str, account: int, summed: int
) -> Contradiction:
    scope, unit = name
    amounts = [
        f"${money.dollars(n)}" if unit == "usd" else f"{n} tokens" for n in (summed, account)
    ]
    what = f"{word}: the records sum to {amounts[0]}, the journal to {amounts[1]}"
    return Contradiction(audit.state.position, scope, what)


def _lists(connection: sa.Connection, audit: Audit) -> list[Checked]:
    """Who is open and who is unresolved is the same in both."""
    state = audit.state
    known = {"open": state.holds.keys() - state.unresolved, "unresolved": state.unresolved}
    checked = []
    for status, ids in known.items():
        mine = (queries.c.ledger == state.ledger) & (queries.c.status == status)
        found = set(connection.execute(sa.select(queries.c.id).where(mine)).scalars())
        for id_ in sorted(found ^ ids):
            where = "the records" if id_ in found else "the journal"
            raise Contradiction(state.position, id_, f"is {status} in {where} alone")
        checked.append(Checked(f"queries that are {status} in both", len(ids)))
    return checked
