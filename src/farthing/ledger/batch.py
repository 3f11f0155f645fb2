"""The rows that some entries make, or change: gathered first, then written in a few statements.

A query's row is made by its hold and changed by what ends it; an ending that comes in the same
batch changes the row before it is written. Whatever is batched with what, the rows are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

import msgspec
import sqlalchemy as sa

from farthing.ledger.entered import ENTERED, entered
from farthing.ledger.entry import (
    ChangeKey,
    Draw,
    Ending,
    Entry,
    Expire,
    Hold,
    Key,
    Overrun,
    Resolve,
    Revoke,
    Scope,
    Settle,
    Unresolved,
    Void,
    WriteOff,
)
from farthing.ledger.records import METERS, entries, keys, queries, scopes
from farthing.ledger.rows import Row, add, insert, plain, update

DRAWN = ("from_credit", "from_commitment", "effective")
PAID = ("cost", "tokens", "list_cost", *DRAWN)
ENDING_COLUMNS = (
    *("status", "ended", *PAID, *METERS),
    *("http_status", "first_byte_us", "total_us"),
    *("upstream_id", "answered_model", "losses", "finish", "reason"),
)
_FROM_OUTSIDE = ("upstream_id", "answered_model", "losses", "reason")

# What a query's row has only when it has ended.
EMPTY: Row = dict.fromkeys((*ENDING_COLUMNS, "end_position", "overrun"))

# Columns in their table's order, which rows that are copies of it keep.
_UNWRITTEN: Row = dict.fromkeys(column.name for column in queries.columns)

_NO_ENDING: Row = dict.fromkeys(ENDING_COLUMNS)


def _same(
    kind: type[msgspec.Struct], names: Iterable[str]
) -> Callable[[Any], Iterable[tuple[str, Any]]]:
    """Return what reads the columns that an entry has under the same names."""
    found = tuple(name for name in names if name in kind.__struct_fields__)
    values = attrgetter(*found)  # a tuple: each kind has more than one
    return lambda entry: zip(found, values(entry), strict=True)


_held = _same(Hold, (c.name for c in queries.columns if c.name not in EMPTY))
_told = {kind: _same(kind, (*ENDING_COLUMNS, "id")) for kind in (Settle, Void, Unresolved)}


class Batch:
    """The rows that some entries of one ledger make."""

    def __init__(self, ledger: str) -> None:
        self._ledger = ledger
        self.queries: dict[str, Row] = {}
        self.keys: dict[str, Row] = {}
        self.scopes: dict[str, Row] = {}
        self.entries: dict[int, Row] = {}
        # What changes rows that are there already, by what it changes; written in this order.
        self._endings: dict[str, Row] = {}
        self._resolved: dict[str, Row] = {}
        self._expired: dict[str, Row] = {}
        self._drawn: dict[str, Row] = {}
        self._overruns: dict[str, Row] = {}
        self._changed: dict[str, Row] = {}
        self._revoked: dict[str, Row] = {}
        self._take: dict[type, Callable[[Any, int], None]] = {
            Hold: self._hold,
            **dict.fromkeys((Settle, Void, Unresolved), self._ending),
            **dict.fromkeys((Resolve, WriteOff), self._resolve),
            Expire: self._expire,
            Draw: self._draw,
            Overrun: self._overrun,
            Key: self._key,
            ChangeKey: self._change_key,
            Revoke: self._revoke,
            Scope: self._scope,
        }

    def take(self, entry: Entry, position: int) -> None:
        """Turn one entry into rows, or into changes of some."""
        take = self._take.get(type(entry))
        if take is not None:
            take(entry, position)
        if isinstance(entry, ENTERED):
            self.entries[position] = {"ledger": self._ledger, **entered(entry, position)}

    # -- queries ------------------------------------------------------------------------------

    def _hold(self, entry: Hold, position: int) -> None:
        self.queries[entry.id] = row = _query(entry, position)
        row["ledger"] = self._ledger

    def _ending(self, entry: Ending, position: int) -> None:
        self._change(self.queries, self._endings, entry.id, _ending(entry, position))

    def _resolve(self, entry: Resolve | WriteOff, position: int) -> None:
        row = _resolved(entry, position)
        self._change(self.queries, self._resolved, entry.id, row)
        self._complete(self.queries.get(entry.id))

    def _expire(self, entry: Expire, position: int) -> None:
        row = _ended("posted", None, None, entry.at, position)
        self._change(self.queries, self._expired, entry.id, row)
        self._complete(self.queries.get(entry.id))

    def _draw(self, entry: Draw, _: int) -> None:
        """Tell what paid; it follows on the ending that made the columns it adds to."""
        rows = (self.queries, self._expired, self._resolved, self._endings)
        row = next((of[entry.id] for of in rows if entry.id in of), None)
        if row is None or row["effective"] is None:
            mine = {"ledger": self._ledger, "id": entry.id}
            row = self._drawn.setdefault(entry.id, mine | dict.fromkeys(DRAWN, 0))
        kind = entry.source.partition(":")[0]
        row[f"from_{kind}"] += entry.usd
        if kind == "commitment":
            row["effective"] += entry.effective - entry.usd

    def _overrun(self, entry: Overrun, _: int) -> None:
        self._change(self.queries, self._overruns, entry.id, {"overrun": entry.usd})

    def _complete(self, row: Row | None, held: Row | None = None) -> None:
        """Fill in what an ending without amounts of its own comes to: what was held."""
        if row is None:
            return
        held = held or row
        if row["tokens"] is None:
            row["tokens"] = held["held_tokens"]
        if row["cost"] is None:
            row["cost"] = held["held"]
            row["effective"] += held["held"]

    def _change(self, rows: dict[str, Row], later: dict[str, Row], id_: str, row: Row) -> None:
        """Change a row of this batch, or remember the change for one that was written before."""
        if id_ in rows:
            rows[id_] |= row
        else:
            later[id_] = {"ledger": self._ledger, "id": id_, **row}

    # -- keys and scopes ----------------------------------------------------------------------

    def _key(self, entry: Key, _: int) -> None:
        self.keys[entry.id] = {
            "ledger": self._ledger,
            "id": entry.id,
            **_key_terms(entry),
            "made": entry.at,
            "made_by": plain(entry.by),
            "revoked": None,
        }

    def _change_key(self, entry: ChangeKey, _: int) -> None:
        self._change(self.keys, self._changed, entry.id, _key_terms(entry))

    def _revoke(self, entry: Revoke, _: int) -> None:
        """A key stays revoked at the time it was first."""
        known = self.keys.get(entry.id) or self._revoked.get(entry.id) or {}
        if known.get("revoked") is None:
            self._change(self.keys, self._revoked, entry.id, {"revoked": entry.at})

    def _scope(self, entry: Scope, _: int) -> None:
        told = {"scope": plain(entry.scope), "parent": plain(entry.parent)}
        made = {"made": entry.at, "made_by": plain(entry.by)}
        self.scopes[entry.scope] = {"ledger": self._ledger, **told, **made}

    # -- writing ------------------------------------------------------------------------------

    def write(self, connection: sa.Connection) -> None:
        """Insert and update; a row that is there already is made again the same."""
        insert(connection, queries, list(self.queries.values()))
        insert(connection, keys, list(self.keys.values()))
        insert(connection, scopes, list(self.scopes.values()))
        insert(connection, entries, list(self.entries.values()))
        self._complete_from(connection)
        for changes in (self._endings, self._resolved, self._expired, self._overruns):
            update(connection, queries, list(changes.values()))
        add(connection, queries, list(self._drawn.values()))
        update(connection, keys, list(self._changed.values()))
        update(connection, keys, self._first_revoked(connection))

    def _complete_from(self, connection: sa.Connection) -> None:
        """Complete the endings of queries that were written before, from what was held for them."""
        later = [*self._resolved.values(), *self._expired.values()]
        short = {row["id"]: row for row in later if row["tokens"] is None}
        if short:
            c = queries.c
            mine = (c.ledger == self._ledger) & c.id.in_(short)
            asked = sa.select(c.id, c.held, c.held_tokens).where(mine)
            for held in connection.execute(asked).mappings():
                self._complete(short[held["id"]], dict(held))

    def _first_revoked(self, connection: sa.Connection) -> list[Row]:
        """Return the keys to be revoked that were not before."""
        mine = (keys.c.ledger == self._ledger) & keys.c.id.in_(self._revoked)
        if not self._revoked:
            return []
        open_ = connection.execute(sa.select(keys.c.id).where(mine & keys.c.revoked.is_(None)))
        return [self._revoked[id_] for id_ in open_.scalars()]


def _query(entry: Hold, position: int) -> Row:
    row = _UNWRITTEN.copy()
    row.update(_held(entry))
    row["asked_model"] = plain(entry.asked_model)
    row["model"] = plain(entry.model)
    row["path"] = plain(msgspec.json.encode(entry.path).decode())
    row["position"], row["began"], row["status"] = position, entry.at, "open"
    row["held"], row["held_tokens"] = entry.usd, entry.tokens
    return row


def _ending(entry: Ending, position: int) -> Row:
    row = _NO_ENDING.copy()
    row.update(_told[type(entry)](entry))
    for name in _FROM_OUTSIDE:
        if row[name]:
            row[name] = plain(row[name])
    # An answer that never came has neither status nor time.
    row["http_status"] = row["status"] or None
    row["total_us"] = row["total_us"] or None
    if isinstance(entry, Settle):
        row |= _ended("settled", entry.usd, entry.usage.tokens(), entry.at, position)
        row |= msgspec.structs.asdict(entry.usage)
        row["list_cost"] = entry.usd if entry.list_usd is None else entry.list_usd
    elif isinstance(entry, Void):
        row |= _ended("void", 0, 0, entry.at, position) | {"list_cost": 0}
    else:
        row |= {"status": "unresolved", "upstream_id": row["upstream_id"] or None}
        row |= {"ended": entry.at, "end_position": position}
    return row


def _resolved(entry: Resolve | WriteOff, position: int) -> Row:
    """Return what ended an unresolved query; what was known of its answer stays."""
    if isinstance(entry, Resolve):
        row = _ended("settled", entry.usd, entry.tokens, entry.at, position)
        return row | {"reason": plain(entry.evidence)}
    return _ended("written-off", 0, 0, entry.at, position) | {"reason": plain(entry.reason)}


def _ended(status: str, cost: int | None, tokens: int | None, at: int, position: int) -> Row:
    """Return what every ending says; what pays for it follows. Not known is what was held."""
    return {
        "status": status,
        "ended": at,
        "end_position": position,
        "cost": cost,
        "tokens": tokens,
        "from_credit": 0,
        "from_commitment": 0,
        "effective": cost or 0,
    }


def _key_terms(entry: Key | ChangeKey) -> Row:
    """Return what of a key can be changed."""
    return {
        "name": plain(entry.name),
        "expires": entry.expires,
        "max_cost": entry.max_cost,
        "parent": plain(entry.parent),
    }
