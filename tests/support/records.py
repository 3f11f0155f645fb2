"""What tests ask of the records: everything at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from farthing.ledger.project import catch_up
from farthing.ledger.records import metadata

Rows = dict[str, list[dict[str, Any]]]


def content(engine: sa.Engine) -> Rows:
    """Every row of every table, by its primary key."""
    with engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(_all(table)).mappings()]
            for table in metadata.sorted_tables
        }


def projected(engine: sa.Engine, journal: Path) -> Rows:
    """Everything, once the records have caught up with a journal."""
    catch_up(engine, journal)
    return content(engine)


def _all(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table).order_by(*table.primary_key)
