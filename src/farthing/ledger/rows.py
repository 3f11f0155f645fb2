"""Write many rows at once, each database in its own fastest way.

SQLite inserts tuples one after the other; PostgreSQL takes them all as one JSON array and reads it
against the table's own row type, which is several times faster than a statement for each.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import msgspec
import sqlalchemy as sa

Row = dict[str, Any]


def plain(text: str) -> str:
    """Return a text from outside without NUL, which PostgreSQL's texts cannot hold."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


def insert(connection: sa.Connection, table: sa.Table, rows: list[Row]) -> None:
    """Insert whole rows; one that is there already is made again as it is here."""
    if rows:
        names = [column.name for column in table.columns]
        key = _listed([column.name for column in table.primary_key])
        changes = ", ".join(f'"{name}" = excluded."{name}"' for name in names)
        again = f"ON CONFLICT ({key}) DO UPDATE SET {changes}"
        _INSERT[connection.dialect.name](connection, table.name, names, again, rows)


def update(connection: sa.Connection, table: sa.Table, rows: list[Row]) -> None:
    """Change rows by their primary key; each brings the same columns.

    One statement for each, on both: they are few, as most endings come with their holds, and a
    planner that does not know how few would read the whole table for a join.
    """
    _change(connection, table, rows, '"{name}" = {mark}')


def add(connection: sa.Connection, table: sa.Table, rows: list[Row]) -> None:
    """Add to what rows say by their primary key; to what is unknown nothing is added."""
    _change(connection, table, rows, '"{name}" = "{name}" + {mark}')


def _change(connection: sa.Connection, table: sa.Table, rows: list[Row], change: str) -> None:
    if rows:
        mark = _MARK[connection.dialect.name]
        key = [column.name for column in table.primary_key]
        names = [name for name in rows[0] if name not in key]
        changes = ", ".join(change.format(name=name, mark=mark) for name in names)
        mine = " AND ".join(f'"{name}" = {mark}' for name in key)
        statement = f'UPDATE "{table.name}" SET {changes} WHERE {mine}'  # noqa: S608  (our names)
        connection.exec_driver_sql(statement, _tuples([*names, *key], rows))


def _sqlite_insert(
    connection: sa.Connection, table: str, names: list[str], again: str, rows: list[Row]
) -> None:
    marks = ", ".join("?" * len(names))
    statement = f'INSERT INTO "{table}" ({_listed(names)}) VALUES ({marks}) {again}'  # noqa: S608
    connection.exec_driver_sql(statement, _tuples(names, rows))


def _postgresql_insert(
    connection: sa.Connection, table: str, names: list[str], again: str, rows: list[Row]
) -> None:
    chosen = f'SELECT {_listed(names)} FROM json_populate_recordset(NULL::"{table}", %s)'  # noqa: S608
    statement = f'INSERT INTO "{table}" ({_listed(names)}) {chosen} {again}'
    connection.exec_driver_sql(statement, (_json(rows),))


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _tuples(names: list[str], rows: list[Row]) -> list[tuple[Any, ...]]:
    values = itemgetter(*names)  # a tuple: a table has more than one column
    return [tuple(row.values()) if list(row) == names else values(row) for row in rows]


def _json(rows: list[Row]) -> str:
    return msgspec.json.encode(rows).decode()


_INSERT = {"sqlite": _sqlite_insert, "postgresql": _postgresql_insert}
_MARK = {"sqlite": "?", "postgresql": "%s"}
