"""Project the journal to SQL: behind the ledger, as often as asked, with the same result.

Only what is on the disk is shown: the journal is synced before its entries are projected, so
that a record anybody has seen cannot be cut off with a torn tail.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

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
from farthing.ledger.journal import FIRST_SEGMENT, read_groups
from farthing.ledger.records import keys, progress, queries

# Groups projected in one transaction: some thousand entries under load.
GROUPS_AT_ONCE = 500


def catch_up(engine: sa.Engine, journal: Path) -> int:
    """Project everything in the journal's folder that is not yet; return the entries projected."""
    path = journal / FIRST_SEGMENT
    if not path.exists() or path.stat().st_size == 0:
        return 0
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
        with mmap.mmap(file, 0, prot=mmap.PROT_READ) as buffer:
            done = 0
            while count := _project_some(engine, buffer):
                done += count
            return done
    finally:
        os.close(file)


def _project_some(engine: sa.Engine, buffer: mmap.mmap) -> int:
    """Project the next groups in one transaction, together with how far it has come."""
    with engine.connect() as connection:
        connection.execute(sa.text("BEGIN IMMEDIATE"))  # one projector at a time
        ledger, position, offset = _progress(connection, buffer)
        batch = _Batch()
        began = position
        for count, (entries, end) in enumerate(read_groups(buffer, offset, position), start=1):
            for entry in entries:
                position += 1
                batch.take(entry, position)
            offset = end
            if count == GROUPS_AT_ONCE:
                break
        if position > began:
            batch.write(connection)
            connection.execute(
                sqlite.insert(progress)
                .values(ledger=ledger, position=position, offset=offset)
                .on_conflict_do_update(["ledger"], set_={"position": position, "offset": offset})
            )
        connection.commit()
        return position - began


def _progress(connection: sa.Connection, buffer: mmap.mmap) -> tuple[str, int, int]:
    """Return where to go on. Records of another journal, or of one cut shorter, are dropped."""
    first = next(read_groups(buffer, 0, 0), None)
    genesis = first[0][0] if first else None
    ledger = genesis.ledger if isinstance(genesis, Genesis) else ""
    row = connection.execute(sa.select(progress)).first()
    if row is not None and row.ledger == ledger and row.offset <= len(buffer):
        return ledger, row.position, row.offset
    for table in (queries, keys, progress):
        connection.execute(sa.delete(table))
    return ledger, 0, 0


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
            self._endings.append(_ending(entry))
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
            mine = keys.c.id == sa.bindparam("_id")
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
    "http_status",
    "first_byte_us",
    "total_us",
    "upstream_id",
    "answered_model",
    "reason",
)


def _ending(entry: Settle | Void | Unresolved) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(ENDING_COLUMNS)
    told = msgspec.structs.asdict(entry)
    row |= {name: told[name] for name in ENDING_COLUMNS if name in told}
    row["ended"] = entry.at
    row["http_status"] = told.get("status")
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
