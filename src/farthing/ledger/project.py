"""Project the journal to SQL: behind the ledger, as often as asked, with the same result.

Only what is on the disk is shown: what was read is synced before it is projected, so that a
record anybody has seen cannot be cut off with a torn tail.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import sqlalchemy as sa

from farthing.ledger.database import take_turn
from farthing.ledger.entry import (
    Ending,
    Entry,
    Hold,
    Key,
    Overrun,
    Revoke,
    Settle,
    Unresolved,
    Void,
)
from farthing.ledger.groups import JournalGroups
from farthing.ledger.records import keys, progress, queries
from farthing.ledger.rows import Row, insert, update

Tell = Callable[[int, int], None]
"""Hears how many bytes of how many are done."""


class Place(msgspec.Struct):
    """How far the projection has come in which ledger's journal."""

    ledger: str
    position: int = 0
    offset: int = 0
    group: int = 0
    """Where the last group projected begins."""
    checksum: int = 0


def catch_up(engine: sa.Engine, journal: Path) -> int:
    """Project everything in the journal's folder that is not yet; return the entries projected."""
    try:
        groups = JournalGroups(journal)
    except FileNotFoundError:
        return 0
    with groups:
        done = 0
        while count := _project_some(engine, groups):
            done += count
        return done


def rebuild(engine: sa.Engine, journal: Path, tell: Tell = lambda *_: None) -> int:
    """Make a ledger's rows again from its journal, in one transaction; return its entries.

    Until the end everybody sees the rows as they were, and if this is interrupted they stay so.

    Raises:
        FileNotFoundError: there is no journal.
    """
    with JournalGroups(journal) as groups, engine.connect() as connection:
        place = Place(groups.ledger())
        take_turn(connection, place.ledger)
        _forget(connection, place.ledger)
        while _project_piece(connection, groups, place):
            tell(place.offset, groups.size)
        if place.position:
            _keep(connection, place)
        connection.commit()
        return place.position


def place_of(connection: sa.Connection, ledger: str) -> Place | None:
    """Return how far a ledger's rows go; None if it has none."""
    mine = sa.select(progress).where(progress.c.ledger == ledger)
    row = connection.execute(mine).mappings().first()
    return Place(**row) if row is not None else None


def _project_some(engine: sa.Engine, groups: JournalGroups) -> int:
    """Project the next groups in one transaction, together with how far it has come."""
    ledger = groups.ledger()
    if not ledger:
        return 0
    with engine.connect() as connection:
        take_turn(connection, ledger)
        place = _place(connection, groups, ledger)
        count = _project_piece(connection, groups, place)
        if count:
            _keep(connection, place)
        connection.commit()
        return count


def _project_piece(connection: sa.Connection, groups: JournalGroups, place: Place) -> int:
    """Project the groups that follow a place, which moves; return how many entries they had."""
    began, batch = place.position, Batch(place.ledger)
    for group in groups.piece(place.offset, place.position):
        for entry in group.entries:
            place.position += 1
            batch.take(entry, place.position)
        place.group, place.checksum, place.offset = group.offset, group.checksum, group.end
    if place.position > began:
        groups.sync()  # only now is what was read certain to be on the disk
        batch.write(connection)
    return place.position - began


def _place(connection: sa.Connection, groups: JournalGroups, ledger: str) -> Place:
    """Return where to go on. Rows of another copy of the journal are dropped."""
    place = place_of(connection, ledger)
    if place is not None and groups.has(place.group, place.checksum):
        return place
    _forget(connection, ledger)
    return Place(ledger)


def _forget(connection: sa.Connection, ledger: str) -> None:
    """Drop a ledger's rows; in a file, which is of one data folder, those of any other too."""
    alone = connection.dialect.name in _OF_ONE_LEDGER
    for table in (queries, keys, progress):
        rows = sa.delete(table)
        connection.execute(rows if alone else rows.where(table.c.ledger == ledger))


_OF_ONE_LEDGER = ("sqlite",)


def _keep(connection: sa.Connection, place: Place) -> None:
    connection.execute(sa.delete(progress).where(progress.c.ledger == place.ledger))
    connection.execute(sa.insert(progress).values(msgspec.structs.asdict(place)))


class Batch:
    """The rows that some entries make, gathered by statement."""

    def __init__(self, ledger: str) -> None:
        self._ledger = ledger
        self.queries: dict[str, Row] = {}
        self.keys: dict[str, Row] = {}
        # What changes rows that are there already, by what it changes.
        self._endings: dict[str, Row] = {}
        self._overruns: dict[str, Row] = {}
        self._revoked: dict[str, Row] = {}

    def take(self, entry: Entry, position: int) -> None:
        """Turn one entry into rows, or into a change of one."""
        if isinstance(entry, Hold):
            self.queries[entry.id] = {"ledger": self._ledger, **_query(entry, position)}
        elif isinstance(entry, Settle | Void | Unresolved):
            self._change(self.queries, self._endings, entry.id, _ending(entry, position))
        elif isinstance(entry, Overrun):
            self._change(self.queries, self._overruns, entry.id, {"overrun": entry.usd})
        elif isinstance(entry, Key):
            self.keys[entry.id] = {"ledger": self._ledger, **_key(entry)}
        elif isinstance(entry, Revoke):
            self._revoke(entry)

    def _change(self, rows: dict[str, Row], later: dict[str, Row], id_: str, row: Row) -> None:
        """Change a row of this batch, or remember the change for one that was written before."""
        if id_ in rows:
            rows[id_] |= row
        else:
            later[id_] = {"ledger": self._ledger, "id": id_, **row}

    def _revoke(self, entry: Revoke) -> None:
        """A key stays revoked at the time it was first."""
        known = self.keys.get(entry.id) or self._revoked.get(entry.id) or {}
        if known.get("revoked") is None:
            self._change(self.keys, self._revoked, entry.id, {"revoked": entry.at})

    def write(self, connection: sa.Connection) -> None:
        """Insert and update; a row that is there already is made again the same."""
        insert(connection, queries, list(self.queries.values()))
        insert(connection, keys, list(self.keys.values()))
        update(connection, queries, list(self._endings.values()))
        update(connection, queries, list(self._overruns.values()))
        update(connection, keys, self._first_revoked(connection))

    def _first_revoked(self, connection: sa.Connection) -> list[Row]:
        """Return the keys to be revoked that were not before."""
        mine = (keys.c.ledger == self._ledger) & keys.c.id.in_(self._revoked)
        if not self._revoked:
            return []
        open_ = connection.execute(sa.select(keys.c.id).where(mine & keys.c.revoked.is_(None)))
        return [self._revoked[id_] for id_ in open_.scalars()]


def _query(entry: Hold, position: int) -> Row:
    return EMPTY | {
        **{name: getattr(entry, name) for name in _SAME_IN_A_HOLD},
        "asked_model": _plain(entry.asked_model),
        "model": _plain(entry.model),
        "path": _path(entry.path),
        "position": position,
        "began": entry.at,
        "status": "open",
        "held": entry.usd,
        "held_tokens": entry.tokens,
    }


def _path(scopes: tuple[str, ...]) -> str:
    """Return scopes as a JSON array."""
    return msgspec.json.encode(scopes).decode()


def _plain(text: str) -> str:
    """Return a text from outside without NUL, which PostgreSQL's texts cannot hold."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


_SAME_IN_A_HOLD = tuple(c.name for c in queries.columns if c.name in Hold.__struct_fields__)


ENDING_COLUMNS = (
    "status",
    "ended",
    "cost",
    "input",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "output",
    "reasoning",
    "input_audio",
    "output_audio",
    "web_searches",
    "http_status",
    "first_byte_us",
    "total_us",
    "upstream_id",
    "answered_model",
    "losses",
    "reason",
)


_FROM_OUTSIDE = ("upstream_id", "answered_model", "losses", "reason")

# What a query's row has only when it has ended.
EMPTY: Row = dict.fromkeys((*ENDING_COLUMNS, "end_position", "overrun"))


def _ending(entry: Ending, position: int) -> Row:
    row: Row = dict.fromkeys(ENDING_COLUMNS)
    told = msgspec.structs.asdict(entry)
    row |= {name: told[name] for name in ENDING_COLUMNS if name in told}
    row |= {name: _plain(row[name]) for name in _FROM_OUTSIDE if row[name]}
    row |= {"ended": entry.at, "end_position": position}
    # An answer that never came has neither status nor time.
    row["http_status"] = told.get("status") or None
    row["total_us"] = told.get("total_us") or None
    if isinstance(entry, Settle):
        usage = msgspec.structs.asdict(entry.usage)
        row |= {name: usage[name] for name in ENDING_COLUMNS if name in usage}
        row |= {"status": "settled", "cost": entry.usd}
    elif isinstance(entry, Void):
        row |= {"status": "void", "cost": 0}
    else:
        row["status"] = "unresolved"
    return row


def _key(entry: Key) -> Row:
    return {
        "id": entry.id,
        "name": _plain(entry.name),
        "made": entry.at,
        "made_by": _plain(entry.by),
        "expires": entry.expires,
        "revoked": None,
        "max_cost": entry.max_cost,
    }
