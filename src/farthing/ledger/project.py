"""Project the journal to SQL: behind the ledger, as often as asked, with the same result.

Only what is on the disk is shown: what was read is synced before it is projected, so that a
record anybody has seen cannot be cut off with a torn tail.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from farthing.ledger.cursor import PIECE, Cursor
from farthing.ledger.entry import (
    Entry,
    Genesis,
    Hold,
    Key,
    Overrun,
    Revoke,
    Settle,
    Unresolved,
    Void,
)
from farthing.ledger.records import keys, progress, queries
from farthing.ledger.segments import START


def catch_up(engine: sa.Engine, journal: Path) -> int:
    """Project everything in the journal's folder that is not yet; return the entries projected.

    Raises:
        JournalDamagedError: the journal cannot be read on, and goes on later.
    """
    try:
        cursor = Cursor(journal)
    except FileNotFoundError:
        return 0
    try:
        done = 0
        while count := _project_some(engine, cursor):
            done += count
        return done
    finally:
        cursor.close()


def _project_some(engine: sa.Engine, cursor: Cursor) -> int:
    """Project the next groups in one transaction, together with how far it has come."""
    with engine.connect() as connection:
        connection.execute(sa.text("BEGIN IMMEDIATE"))  # one projector at a time
        ledger = _go_on(connection, cursor)
        began, batch = cursor.position, _Batch()
        entries = cursor.read(PIECE)
        for position, entry in enumerate(entries, began + 1):
            batch.take(entry, position)
            if isinstance(entry, Genesis):
                ledger = entry.ledger
        if entries:
            cursor.sync()  # only now is what was read certain to be on the disk
            batch.write(connection)
            connection.execute(sa.delete(progress))
            connection.execute(sa.insert(progress).values(_place(cursor, ledger)))
        connection.commit()
        return len(entries)


def _place(cursor: Cursor, ledger: str) -> dict[str, Any]:
    """Return the row that says how far the projection has come in which journal."""
    names = ("position", "offset", "group", "checksum")
    return {"ledger": ledger, **{name: getattr(cursor, name) for name in names}}


def _go_on(connection: sa.Connection, cursor: Cursor) -> str:
    """Go where the records end, and return of which journal they are.

    Records of another journal, or of another copy, are dropped.
    """
    row = connection.execute(sa.select(progress)).mappings().first()
    if row is not None:
        place = dict(row)
        ledger = str(place.pop("ledger"))
        if cursor.resume(**place):
            return ledger
    for table in (queries, keys, progress):
        connection.execute(sa.delete(table))
    cursor.go_to(START)
    return ""


class _Batch:
    """The rows that some entries make, gathered by statement."""

    def __init__(self) -> None:
        self._queries: list[dict[str, Any]] = []
        self._endings: list[dict[str, Any]] = []
        self._overruns: list[dict[str, Any]] = []
        self._keys: list[dict[str, Any]] = []
        self._revoked: list[dict[str, Any]] = []

    def take(self, entry: Entry, position: int) -> None:
        """Turn one entry into rows."""
        if isinstance(entry, Hold):
            self._queries.append(_query(entry, position))
        elif isinstance(entry, Settle | Void | Unresolved):
            self._endings.append({**_ending(entry), "_end_position": position})
        elif isinstance(entry, Overrun):
            self._overruns.append({"_id": entry.id, "_overrun": entry.usd})
        elif isinstance(entry, Key):
            self._keys.append(_key(entry))
        elif isinstance(entry, Revoke):
            self._revoked.append({"_id": entry.id, "_revoked": entry.at})

    def write(self, connection: sa.Connection) -> None:
        """Insert and update; a row that is there already is made again the same."""
        same = queries.c.id == sa.bindparam("_id")
        for table, rows in ((queries, self._queries), (keys, self._keys)):
            if rows:
                connection.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)
        if self._endings:
            names = self._endings[0].keys() - {"_id"}
            values: dict[str, Any] = {name[1:]: sa.bindparam(name) for name in names}
            connection.execute(sa.update(queries).where(same).values(values), self._endings)
        if self._overruns:
            changed = sa.update(queries).where(same).values(overrun=sa.bindparam("_overrun"))
            connection.execute(changed, self._overruns)
        if self._revoked:
            mine = (keys.c.id == sa.bindparam("_id")) & keys.c.revoked.is_(None)
            revoked = sa.update(keys).where(mine).values(revoked=sa.bindparam("_revoked"))
            connection.execute(revoked, self._revoked)


def _query(entry: Hold, position: int) -> dict[str, Any]:
    told = msgspec.structs.asdict(entry)
    row = {c.name: told[c.name] for c in queries.columns if c.name in told}
    held = {"held": entry.usd, "held_tokens": entry.tokens}
    return {**row, **held, "position": position, "began": entry.at, "status": "open"}


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
    "input_image",
    "output_image",
    "characters",
    "audio_seconds",
    "search_units",
    "http_status",
    "first_byte_us",
    "total_us",
    "upstream_id",
    "answered_model",
    "losses",
    "reason",
)


def _ending(entry: Settle | Void | Unresolved) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(ENDING_COLUMNS)
    told = msgspec.structs.asdict(entry)
    row |= {name: told[name] for name in ENDING_COLUMNS if name in told}
    row["ended"] = entry.at
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
    return {f"_{name}": value for name, value in row.items()} | {"_id": entry.id}


def _key(entry: Key) -> dict[str, Any]:
    return {
        "id": entry.id,
        "name": entry.name,
        "made": entry.at,
        "made_by": entry.by,
        "expires": entry.expires,
        "revoked": None,
        "max_cost": entry.max_cost,
    }
