"""The SQL tables that the journal is projected to, and looking queries up in them.

They can be thrown away and made again from the journal at any time; nothing is written to them
but by `project.py`. Each row is of a ledger, whose id its journal begins with: several gateways may
share a database. Amounts are nanodollars, times nanoseconds since the Unix epoch.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from farthing.ledger.database import migrate, open_database
from farthing.paths import DataFolder
from farthing.wire.dialect import Usage

metadata = sa.MetaData()

# Of each meter a column: a new one needs a migration that also empties `progress`, so that the
# rows are made again from the journal.
METERS = Usage.__struct_fields__

STATUSES = {
    "open": "held; not ended yet",
    "settled": "ended; its cost is known, from its answer or from evidence that came later",
    "void": "provably never sent: nothing can be billed",
    "unresolved": "sent; its cost is not known, and it stays held",
    "posted": "was unresolved for too long: its cost is all that was held",
    "written-off": "was unresolved; an administrator released it at nothing",
}

queries = sa.Table(
    "queries",
    metadata,
    sa.Column("ledger", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("began", sa.BigInteger, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),  # the scopes it passed, as a JSON array
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("asked_model", sa.Text, nullable=False),
    sa.Column("dialect", sa.Text, nullable=False),
    sa.Column("stream", sa.Boolean, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # of STATUSES
    sa.Column("held", sa.BigInteger, nullable=False),
    sa.Column("held_tokens", sa.BigInteger, nullable=False),
    sa.Column("output_cap", sa.BigInteger, nullable=False),
    sa.Column("price_book", sa.Text, nullable=False),
    sa.Column("unpriced", sa.Boolean, nullable=False),  # whether its cost has no bound
    sa.Column("ended", sa.BigInteger),
    sa.Column("cost", sa.BigInteger),
    # All its tokens, as its limits counted them; one that is resolved may not tell which.
    sa.Column("tokens", sa.BigInteger),
    sa.Column("list_cost", sa.BigInteger),  # without the discount of a commitment
    # What paid: credits of every scope on its path, and commitments with its provider.
    sa.Column("from_credit", sa.BigInteger),
    sa.Column("from_commitment", sa.BigInteger),
    # Its cost, with what commitments paid at what that much of them was bought for.
    sa.Column("effective", sa.BigInteger),
    *(sa.Column(meter, sa.BigInteger) for meter in METERS),
    sa.Column("http_status", sa.Integer),
    sa.Column("first_byte_us", sa.BigInteger),
    sa.Column("total_us", sa.BigInteger),
    sa.Column("upstream_id", sa.Text),
    sa.Column("answered_model", sa.Text),
    sa.Column("losses", sa.Text),
    sa.Column("finish", sa.Text),  # why its answer ended
    sa.Column("reason", sa.Text),
    sa.Column("overrun", sa.BigInteger),
    sa.Column("end_position", sa.BigInteger),
    sa.Index("ix_queries_position", "ledger", "position"),
    sa.Index("ix_queries_key", "ledger", "key", "position"),
    sa.Index("ix_queries_end_position", "ledger", "end_position"),
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("ledger", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("made", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("expires", sa.BigInteger),
    sa.Column("revoked", sa.BigInteger),
    sa.Column("max_cost", sa.BigInteger),
    sa.Column("parent", sa.Text, nullable=False),  # the scope it belongs to, or ""
)

scopes = sa.Table(
    "scopes",
    metadata,
    sa.Column("ledger", sa.Text, primary_key=True),
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("parent", sa.Text, nullable=False),
    sa.Column("made", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
)

# What administrators and the gateway entered, one row for each entry (entered.py).
entries = sa.Table(
    "entries",
    metadata,
    sa.Column("ledger", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),  # who, or "" for the gateway
    sa.Column("subject", sa.Text, nullable=False),  # such as "key:ID" or "team:NAME"
    sa.Column("entry", sa.Text, nullable=False),  # a JSON object
    sa.Index("ix_entries_kind", "ledger", "kind", "position"),
    sa.Index("ix_entries_subject", "ledger", "subject", "position"),
)

# How far the projection has come in each ledger's journal.
progress = sa.Table(
    "progress",
    metadata,
    sa.Column("ledger", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("offset", sa.BigInteger, nullable=False),
    # Where the last group projected begins, and its checksum: both tell whether it is still there.
    sa.Column("group", sa.BigInteger, nullable=False),
    sa.Column("checksum", sa.BigInteger, nullable=False),
)


def open_records(folder: DataFolder, database: str | None = None) -> sa.Engine:
    """Open the records, made or migrated to this version's tables.

    Raises:
        ConfigError: the database's URL is none.
        sqlalchemy.exc.DBAPIError: the database cannot be reached.
    """
    engine = open_database(folder, database)
    try:
        migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def recent(
    connection: sa.Connection, ledger: str, limit: int, key: str | None = None
) -> list[dict[str, Any]]:
    """Return the queries admitted last, the oldest first."""
    rows = connection.execute(
        sa.select(queries).where(_of(ledger, key)).order_by(queries.c.position.desc()).limit(limit)
    )
    return [dict(row) for row in reversed(rows.mappings().all())]


def ended_after(
    connection: sa.Connection, ledger: str, position: int, key: str | None = None
) -> list[dict[str, Any]]:
    """Return the queries whose endings stand after a position of the journal, in that order."""
    chosen = _of(ledger, key) & (queries.c.end_position > position)
    rows = connection.execute(sa.select(queries).where(chosen).order_by(queries.c.end_position))
    return [dict(row) for row in rows.mappings()]


def last_position(connection: sa.Connection, ledger: str) -> int:
    """Return how many entries of the journal are in the records."""
    mine = sa.select(progress.c.position).where(progress.c.ledger == ledger)
    return connection.execute(mine).scalar() or 0


def _of(ledger: str, key: str | None) -> sa.ColumnElement[bool]:
    mine = queries.c.ledger == ledger
    return mine if key is None else mine & (queries.c.key == key)


def find(connection: sa.Connection, ledger: str, query: str) -> dict[str, Any] | None:
    """Return one query's record."""
    chosen = _of(ledger, None) & (queries.c.id == query)
    row = connection.execute(sa.select(queries).where(chosen)).mappings().first()
    return dict(row) if row else None
