"""Verify a ledger: the journal against itself, and against it what is made from it.

The records are compared row by row, the snapshots byte by byte. It takes no lock, so that a gateway
can run meanwhile: the records are compared as they were at one entry of the journal, and the
journal is read to where it ends by then.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from farthing import money
from farthing.ledger.account import KEPT
from farthing.ledger.audit import COLUMNS, Audit, Contradiction, digest
from farthing.ledger.batch import Batch
from farthing.ledger.cursor import Cursor
from farthing.ledger.database import still
from farthing.ledger.disk import DISK
from farthing.ledger.entry import Entry
from farthing.ledger.project import Place, Tell, catch_up, place_of
from farthing.ledger.records import entries, keys, queries, scopes
from farthing.ledger.rows import Row
from farthing.ledger.search import entries_about, journal_size, ledger_in
from farthing.ledger.segments import START, JournalDamagedError, read_chain
from farthing.ledger.snapshot import snapshot_paths
from farthing.ledger.snapshotter import contradictions
from farthing.ledger.state import State

# How many rows are fetched at once.
FETCH = 5_000

UNENDED = ("open", "unresolved")


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
    report = Report(ledger_in(journal))
    audit = Audit(report.ledger)
    try:
        with _damage(audit):
            segments = len(read_chain(DISK, journal))
            report.checked.append(Checked("segments, linked and sealed", segments))
            with contextlib.closing(Cursor(journal)) as cursor:
                _verify(engine, journal, cursor, audit, report, tell)
            report.checked.append(_snapshots(journal, audit))
    except Contradiction as found:
        report.contradiction = found
    report.checked[1:1] = _of_the_journal(audit)
    return report


@contextlib.contextmanager
def _damage(audit: Audit) -> Iterator[None]:
    """A journal that cannot be read on contradicts itself: something was acknowledged there."""
    try:
        yield
    except JournalDamagedError as problem:
        number = audit.state.position + 1
        raise Contradiction(number, "", f"cannot be read: {problem}") from None


def _verify(
    engine: sa.Engine, journal: Path, cursor: Cursor, audit: Audit, report: Report, tell: Tell
) -> None:
    _same_journal(engine, journal, report.ledger)
    with contextlib.suppress(JournalDamagedError):  # reading it again here tells where
        catch_up(engine, journal)
    with engine.connect() as connection:
        still(connection)
        place = place_of(connection, report.ledger) or Place(report.ledger)
        for number, entry in enumerate(_entries(journal, cursor, tell), start=1):
            audit.take(entry, number)
            if number == place.position:
                report.checked += _records(connection, journal, audit)
        if audit.state.position < place.position:
            raise Contradiction(
                audit.state.position + 1,
                "",
                f"cannot be read: the journal ends at byte {cursor.offset} of "
                f"{cursor.segment.path.name}, and the records were made from {place.position} "
                "entries of it",
            )
    audit.end()
    report.checked.append(Checked("balances that are the entries' sums", audit.balances()))
    report.tail = cursor.tail()


def _entries(journal: Path, cursor: Cursor, tell: Tell) -> Iterator[Entry]:
    """Yield all entries, while the ledger may be writing more."""
    while found := cursor.read():
        yield from found
        tell(cursor.passed + cursor.offset, journal_size(journal))
    cursor.check_tail()


def _same_journal(engine: sa.Engine, journal: Path, ledger: str) -> None:
    """Before anything is caught up, which would drop rows that another copy made."""
    with engine.connect() as connection:
        place = place_of(connection, ledger)
    with contextlib.closing(Cursor(journal)) as cursor:
        if place is None or place.resume(cursor):
            return
        where = f"byte {place.group} of {cursor.segment.path.name}"
        _read_through(journal, cursor)
        raise Contradiction(
            place.position,
            "",
            f"is not the one that the records were made from: the journal's group at {where} is "
            "another. Put back the right journal, or rebuild the records",
        )


def _read_through(journal: Path, cursor: Cursor) -> None:
    """Say of a journal that is damaged that it is so, and not that it is another one."""
    cursor.go_to(START)
    try:
        for _ in _entries(journal, cursor, lambda *_: None):
            pass
    except JournalDamagedError as problem:
        raise Contradiction(cursor.position + 1, "", f"cannot be read: {problem}") from None


def _snapshots(journal: Path, audit: Audit) -> Checked:
    """Each snapshot is the state that the journal makes, to the byte."""
    count = len(snapshot_paths(DISK, journal))
    for what in contradictions(journal, State):
        raise Contradiction(audit.state.position, "", f"the snapshot {what}")
    return Checked("snapshots that are what the journal says", count)


def _of_the_journal(audit: Audit) -> list[Checked]:
    counts = audit.counts
    return [
        Checked("entries, numbered without a gap, that the state machine takes", counts.entries),
        Checked("holds, each of an id of its own", counts.holds),
        Checked("endings, each of one hold, once", counts.endings),
        Checked("limits kept after a hold", counts.limits),
        Checked("overruns, as their endings show them", counts.overruns),
        Checked("draws, as their endings make them", counts.draws),
        Checked("warnings, as their holds make them", counts.warnings),
    ]


# -- the records ----------------------------------------------------------------------------------


def _records(connection: sa.Connection, journal: Path, audit: Audit) -> list[Checked]:
    """Compare the records with the journal up to where they go."""
    rows = audit.rows
    return [
        _rows(connection, journal, audit),
        _table(connection, audit, keys, "id", rows.keys),
        _table(connection, audit, scopes, "scope", rows.scopes),
        _table(connection, audit, entries, "position", rows.entries),
        _sums(connection, audit),
        *_lists(connection, audit),
    ]


def _rows(connection: sa.Connection, journal: Path, audit: Audit) -> Checked:
    ledger, count = audit.state.ledger, 0
    mine = sa.select(queries).where(queries.c.ledger == ledger).order_by(queries.c.position)
    with connection.execution_options(yield_per=FETCH).execute(mine) as result:
        for row in result.mappings():
            if digest(dict(row)) != _expected(audit, row["id"]):
                raise _difference(dict(row), journal, ledger, audit.state.position)
            count += 1
    if count != len(audit.ended) + len(audit.rows.queries):
        raise _missing(connection, journal, audit)
    return Checked("records of queries that are what the journal says", count)


def _expected(audit: Audit, query: str) -> int | None:
    row = audit.rows.queries.get(query)
    return digest(row) if row is not None else audit.ended.get(query)


def _difference(row: Row, journal: Path, ledger: str, until: int) -> Contradiction:
    """Say how a row differs from what the journal's entries of its query make."""
    batch = Batch(ledger)
    for number, entry in entries_about(journal, row["id"]):
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


def _missing(connection: sa.Connection, journal: Path, audit: Audit) -> Contradiction:
    """Name the first query that the records have not."""
    mine = sa.select(queries.c.id).where(queries.c.ledger == audit.state.ledger)
    missing = {*audit.ended, *audit.rows.queries} - set(connection.execute(mine).scalars())
    numbers = {next(entries_about(journal, query))[0]: query for query in missing}
    first = min(numbers)
    return Contradiction(first, numbers[first], "is in the journal and not in the records")


def _table(
    connection: sa.Connection, audit: Audit, table: sa.Table, name: str, journal: dict[Any, Row]
) -> Checked:
    """Compare a table whose rows are few enough to stand beside each other."""
    mine = sa.select(table).where(table.c.ledger == audit.state.ledger)
    found = {row[name]: dict(row) for row in connection.execute(mine).mappings()}
    for id_ in sorted({*found, *journal}):
        ours, theirs = found.get(id_), journal.get(id_)
        if ours != theirs:
            what = f"in {table.name}: {ours} in the records and {theirs} in the journal"
            number = id_ if isinstance(id_, int) else audit.state.position
            raise Contradiction(number, str(id_), what)
    return Checked(f"{table.name} in the records that are what the journal says", len(found))


def _sums(connection: sa.Connection, audit: Audit) -> Checked:
    """The records' sums are the state machine's accounts, to the nanodollar and the token.

    Of scopes whose accounts begin with the journal, or with their making: what queries of others
    (users, tags …) spent before anything limited them is in no account.
    """
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in connection.execute(_by_path(audit.state.ledger)).mappings():
        held = row["status"] in UNENDED
        for scope in msgspec.json.decode(row["path"], type=list[str]):
            for unit in ("usd", "tokens"):
                sums[scope, unit][held] += int(row[f"held_{unit}" if held else f"posted_{unit}"])
    kept = {scope for scope in audit.state.accounts.by_scope if _is_kept(scope)}
    names = {(scope, unit) for scope in kept for unit in ("usd", "tokens")}
    for name in sorted(names | {name for name in sums if _is_kept(name[0])}):
        balance, theirs = audit.state.balance(*name), sums.get(name, [0, 0])
        ours = (balance.posted, balance.held)
        for word, account, summed in zip(("posted", "held"), ours, theirs, strict=True):
            if account != summed:
                raise _unequal(audit, name, word, account, summed)
    return Checked("accounts whose sums are the records', to the nanodollar", len(names))


def _is_kept(scope: str) -> bool:
    return scope.partition(":")[0] in KEPT


def _by_path(ledger: str) -> sa.Select[Any]:
    c = queries.c
    return (
        sa.select(
            c.path,
            c.status,
            sa.func.coalesce(sa.func.sum(c.cost), 0).label("posted_usd"),
            sa.func.coalesce(sa.func.sum(c.tokens), 0).label("posted_tokens"),
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
    known = {"open": state.holds.keys() - state.unresolved, "unresolved": set(state.unresolved)}
    checked = []
    for status, ids in known.items():
        mine = (queries.c.ledger == state.ledger) & (queries.c.status == status)
        found = set(connection.execute(sa.select(queries.c.id).where(mine)).scalars())
        for id_ in sorted(found ^ ids):
            where = "the records" if id_ in found else "the journal"
            raise Contradiction(state.position, id_, f"is {status} in {where} alone")
        checked.append(Checked(f"queries that are {status} in both", len(ids)))
    return checked
