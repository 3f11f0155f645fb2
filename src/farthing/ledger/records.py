"""The SQL tables that the journal is projected to, and looking queries up in them.

They can be thrown away and made again from the journal at any time; nothing is written to them
but by `project.py`. Amounts are nanodollars, times nanoseconds since the Unix epoch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()

queries = sa.Table(
    "queries",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False, index=True),
    sa.Column("began", sa.BigInteger, nullable=False),
    sa.Column("key", sa.Text, nullable=False, index=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("asked_model", sa.Text, nullable=False),
    sa.Column("dialect", sa.Text, nullable=False),
    sa.Column("stream", sa.Boolean, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # open, settled, void, unresolved
    sa.Column("held", sa.BigInteger, nullable=False),
    sa.Column("held_tokens", sa.BigInteger, nullable=False),
    sa.Column("output_cap", sa.BigInteger, nullable=False),
    sa.Column("price_book", sa.Text, nullable=False),
    sa.Column("ended", sa.BigInteger),
    sa.Column("cost", sa.BigInteger),
    sa.Column("input", sa.BigInteger),
    sa.Column("cache_read", sa.BigInteger),
    sa.Column("cache_write", sa.BigInteger),
    sa.Column("cache_write_1h", sa.BigInteger),
    sa.Column("output", sa.BigInteger),
    sa.Column("reasoning", sa.BigInteger),
    sa.Column("input_audio", sa.BigInteger),
    sa.Column("output_audio", sa.BigInteger),
    sa.Column("web_searches", sa.BigInteger),
    sa.Column("input_image", sa.BigInteger),
    sa.Column("output_image", sa.BigInteger),
    sa.Column("characters", sa.BigInteger),
    sa.Column("audio_seconds", sa.BigInteger),
    sa.Column("search_units", sa.BigInteger),
    sa.Column("http_status", sa.Integer),
    sa.Column("first_byte_us", sa.BigInteger),
    sa.Column("total_us", sa.BigInteger),
    sa.Column("upstream_id", sa.Text),
    sa.Column("answered_model", sa.Text),
    sa.Column("losses", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("overrun", sa.BigInteger),
    sa.Column("end_position", sa.BigInteger, index=True),
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("made", sa.BigInteger, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("expires", sa.BigInteger),
    sa.Column("revoked", sa.BigInteger),
    sa.Column("max_cost", sa.BigInteger),
)

# How far the projection has come in which journal: one row.
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


def open_records(path: Path) -> sa.Engine:
    """Open the SQLite records, made or migrated to this version's tables."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Before SQLite opens it: the files it makes beside it become as private as this one.
    path.touch(mode=0o600)
    path.chmod(0o600)
    engine = sa.create_engine(f"sqlite:///{path}")

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")  # the journal is what must be durable
        connection.execute("PRAGMA busy_timeout=10000")

    migrate(engine)
    return engine


def migrate(engine: sa.Engine) -> None:
    """Bring the tables to this version's shape."""
    from alembic import command  # noqa: PLC0415  (a fifth of a second that reading does not need)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def recent(connection: sa.Connection, limit: int, key: str | None = None) -> list[dict[str, Any]]:
    """Return the queries admitted last, the oldest first."""
    chosen = _of(key)
    rows = connection.execute(
        sa.select(queries).where(chosen).order_by(queries.c.position.desc()).limit(limit)
    )
    return [dict(row) for row in reversed(rows.mappings().all())]


def ended_after(
    connection: sa.Connection, position: int, key: str | None = None
) -> list[dict[str, Any]]:
    """Return the queries whose endings stand after a position of the journal, in that order."""
    chosen = _of(key) & (queries.c.end_position > position)
    rows = connection.execute(sa.select(queries).where(chosen).order_by(queries.c.end_position))
    return [dict(row) for row in rows.mappings()]


def last_position(connection: sa.Connection) -> int:
    """Return how many entries of the journal are in the records."""
    return connection.execute(sa.select(progress.c.position)).scalar() or 0


def _of(key: str | None) -> sa.ColumnElement[bool]:
    return sa.true() if key is None else queries.c.key == key


def find(connection: sa.Connection, query: str) -> dict[str, Any] | None:
    """Return one query's record."""
    row = connection.execute(sa.select(queries).where(queries.c.id == query)).mappings().first()
    return dict(row) if row else None
