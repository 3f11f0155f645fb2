"""Project the journal to SQL: behind the ledger, as often as asked, with the same result.

Only what is on the disk is shown: what was read is synced before it is projected, so that a
record anybody has seen cannot be cut off with a torn tail.
"""

from __future__ import annotations

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
from farthing.ledger.journal import FIRST_SEGMENT, HEADER, MAGIC, read_groups, sync_file
from farthing.ledger.records import keys, progress, queries

# How much of the journal is projected in one transaction: some thousand entries.
PIECE = 1024 * 1024


class _Place(msgspec.Struct):
    """How far the projection has come in which journal."""

    ledger: str = ""
    position: int = 0
    offset: int = 0
    group: int = 0
    checksum: int = 0


def catch_up(engine: sa.Engine, journal: Path) -> int:
    """Project everything in the journal's folder that is not yet; return the entries projected."""
    try:
        file = os.open(journal / FIRST_SEGMENT, os.O_RDONLY)
    except FileNotFoundError:
        return 0
    try:
        done = 0
        while count := _project_some(engine, file):
            done += count
        return done
    finally:
        os.close(file)


def _project_some(engine: sa.Engine, file: int) -> int:
    """Project the next groups in one transaction, together with how far it has come."""
    with engine.connect() as connection:
        connection.execute(sa.text("BEGIN IMMEDIATE"))  # one projector at a time
        place = _progress(connection, file)
        began, start = place.position, place.offset
        piece = _piece(file, start)
        batch = _Batch()
        for entries, end in read_groups(piece, 0, began):
            for entry in entries:
                place.position += 1
                batch.take(entry, place.position)
                if isinstance(entry, Genesis):
                    place.ledger = entry.ledger
            place.group, place.checksum = place.offset, _header(piece, place.offset - start)[2]
            place.offset = start + end
        if place.position > began:
            sync_file(file)  # only now is what was read certain to be on the disk
            batch.write(connection)
            connection.execute(sa.delete(progress))
            connection.execute(sa.insert(progress).values(msgspec.structs.asdict(place)))
        connection.commit()
        return place.position - began


def _piece(file: int, offset: int) -> bytes:
    """Read some of the journal from an offset on: at least the whole group that begins there.

    It is read, not mapped: the ledger may cut the file's unused end off meanwhile.
    """
    head = os.pread(file, HEADER.size, offset)
    if len(head) < HEADER.size or not head.startswith(MAGIC):
        return b""
    most = os.fstat(file).st_size - offset  # a header may be torn, and its length anything
    return os.pread(file, min(max(PIECE, HEADER.size + _header(head)[1]), most), offset)


def _header(buffer: bytes, offset: int = 0) -> tuple[bytes, int, int, int, int]:
    """Return a group's header: magic, length, checksum, first entry, durable entries."""
    return HEADER.unpack_from(buffer, offset)


def _progress(connection: sa.Connection, file: int) -> _Place:
    """Return where to go on. Records of another journal, or of another copy, are dropped."""
    row = connection.execute(sa.select(progress)).mappings().first()
    if row is not None:
        place = _Place(**row)
        head = os.pread(file, HEADER.size, place.group)
        if len(head) == HEADER.size and _header(head)[2] == place.checksum:
            return place
    for table in (queries, keys, progress):
        connection.execute(sa.delete(table))
    return _Place()


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
