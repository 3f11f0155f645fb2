"""Project the journal to SQL: behind the ledger, as often as asked, with the same result.

Only what is on the disk is shown: what was read is synced before it is projected, so that a
record anybody has seen cannot be cut off with a torn tail.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import sqlalchemy as sa

from farthing.ledger.batch import Batch
from farthing.ledger.cursor import PIECE, Cursor
from farthing.ledger.database import take_turn
from farthing.ledger.records import metadata, progress
from farthing.ledger.search import journal_size, ledger_in
from farthing.ledger.segments import START

Tell = Callable[[int, int], None]
"""Hears how many bytes of how many are done."""


class Place(msgspec.Struct):
    """How far the projection has come in which ledger's journal."""

    ledger: str
    position: int = 0
    offset: int = 0
    group: int = 0
    """Where the last group projected begins in its segment."""
    checksum: int = 0

    def resume(self, cursor: Cursor) -> bool:
        """Send a cursor there, if the group that was projected last is still there."""
        return cursor.resume(self.position, self.offset, self.group, self.checksum)


def catch_up(engine: sa.Engine, journal: Path) -> int:
    """Project everything in the journal's folder that is not yet; return the entries projected.

    Raises:
        JournalDamagedError: the journal cannot be read on, and goes on later.
    """
    try:
        cursor = Cursor(journal)
    except FileNotFoundError:
        return 0
    with contextlib.closing(cursor):
        done, ledger = 0, ledger_in(journal)
        while ledger and (count := _project_some(engine, cursor, ledger)):
            done += count
        return done


def rebuild(engine: sa.Engine, journal: Path, tell: Tell = lambda *_: None) -> int:
    """Make a ledger's rows again from its journal, in one transaction; return its entries.

    Until the end everybody sees the rows as they were, and if this is interrupted they stay so.

    Raises:
        FileNotFoundError: there is no journal.
        JournalDamagedError: it cannot be read to its end; the rows stay as they were.
    """
    with contextlib.closing(Cursor(journal)) as cursor, engine.connect() as connection:
        ledger = ledger_in(journal)
        take_turn(connection, ledger)
        _forget(connection, ledger)
        while _project_piece(connection, cursor, ledger):
            tell(cursor.passed + cursor.offset, journal_size(journal))
        cursor.check_tail()
        if cursor.position:
            _keep(connection, cursor, ledger)
        connection.commit()
        return cursor.position


def place_of(connection: sa.Connection, ledger: str) -> Place | None:
    """Return how far a ledger's rows go; None if it has none."""
    mine = sa.select(progress).where(progress.c.ledger == ledger)
    row = connection.execute(mine).mappings().first()
    return Place(**row) if row is not None else None


def _project_some(engine: sa.Engine, cursor: Cursor, ledger: str) -> int:
    """Project the next groups in one transaction, together with how far it has come."""
    with engine.connect() as connection:
        take_turn(connection, ledger)
        _go_on(connection, cursor, ledger)
        count = _project_piece(connection, cursor, ledger)
        if count:
            _keep(connection, cursor, ledger)
        connection.commit()
        return count


def _project_piece(connection: sa.Connection, cursor: Cursor, ledger: str) -> int:
    """Project the groups that follow; return how many entries they had."""
    began, batch = cursor.position, Batch(ledger)
    entries = cursor.read(PIECE)
    for position, entry in enumerate(entries, began + 1):
        batch.take(entry, position)
    if entries:
        cursor.sync()  # only now is what was read certain to be on the disk
        batch.write(connection)
    return len(entries)


def _go_on(connection: sa.Connection, cursor: Cursor, ledger: str) -> None:
    """Go where the rows end. Rows of another copy of the journal are dropped."""
    place = place_of(connection, ledger)
    if place is None or not place.resume(cursor):
        _forget(connection, ledger)
        cursor.go_to(START)


def _forget(connection: sa.Connection, ledger: str) -> None:
    """Drop a ledger's rows; in a file, which is of one data folder, those of any other too."""
    alone = connection.dialect.name in _OF_ONE_LEDGER
    for table in metadata.sorted_tables:
        rows = sa.delete(table)
        connection.execute(rows if alone else rows.where(table.c.ledger == ledger))


_OF_ONE_LEDGER = ("sqlite",)


def _keep(connection: sa.Connection, cursor: Cursor, ledger: str) -> None:
    place = Place(ledger, cursor.position, cursor.offset, cursor.group, cursor.checksum)
    connection.execute(sa.delete(progress).where(progress.c.ledger == ledger))
    connection.execute(sa.insert(progress).values(msgspec.structs.asdict(place)))
