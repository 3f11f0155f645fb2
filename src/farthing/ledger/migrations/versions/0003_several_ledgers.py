"""Rows are of a ledger, so that several gateways can share a database; and a query's path.

The tables are made anew and empty: the next projection fills them from the journal.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables anew."""
    for table in ("queries", "keys", "progress"):
        op.drop_table(table)
    _queries()
    _keys()
    _progress()


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str, nullable: bool = True) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _queries() -> None:
    op.create_table(
        "queries",
        *_texts("ledger", "id"),
        *_numbers("position", "began", nullable=False),
        *_texts("key", "path", "provider", "model", "asked_model", "dialect"),
        sa.Column("stream", sa.Boolean(), nullable=False),
        *_texts("status"),
        *_numbers("held", "held_tokens", "output_cap", nullable=False),
        *_texts("price_book"),
        *_numbers("ended", "cost", "input", "cache_read", "cache_write", "cache_write_1h"),
        *_numbers("output", "reasoning", "input_audio", "output_audio", "web_searches"),
        *_numbers("input_image", "output_image", "characters", "audio_seconds", "search_units"),
        sa.Column("http_status", sa.Integer()),
        *_numbers("first_byte_us", "total_us"),
        *[
            sa.Column(name, sa.Text())
            for name in ("upstream_id", "answered_model", "losses", "reason")
        ],
        *_numbers("overrun", "end_position"),
        sa.PrimaryKeyConstraint("ledger", "id"),
    )
    op.create_index("ix_queries_position", "queries", ["ledger", "position"])
    op.create_index("ix_queries_key", "queries", ["ledger", "key", "position"])
    op.create_index("ix_queries_end_position", "queries", ["ledger", "end_position"])


def _keys() -> None:
    op.create_table(
        "keys",
        *_texts("ledger", "id", "name"),
        *_numbers("made", nullable=False),
        *_texts("made_by"),
        *_numbers("expires", "revoked", "max_cost"),
        sa.PrimaryKeyConstraint("ledger", "id"),
    )


def _progress() -> None:
    op.create_table(
        "progress",
        *_texts("ledger"),
        *_numbers("position", "offset", "group", "checksum", nullable=False),
        sa.PrimaryKeyConstraint("ledger"),
    )
