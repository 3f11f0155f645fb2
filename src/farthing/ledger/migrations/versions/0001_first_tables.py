"""The first tables: queries, keys, and how far the projection has come."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    text, number = sa.Text(), sa.BigInteger()
    op.create_table(
        "queries",
        sa.Column("id", text, primary_key=True),
        sa.Column("position", number, nullable=False),
        sa.Column("began", number, nullable=False),
        *[
            sa.Column(name, text, nullable=False)
            for name in ("key", "provider", "model", "asked_model", "dialect", "status")
        ],
        sa.Column("stream", sa.Boolean(), nullable=False),
        *[
            sa.Column(name, number, nullable=False)
            for name in ("held", "held_tokens", "output_cap")
        ],
        sa.Column("price_book", text, nullable=False),
        *[
            sa.Column(name, number)
            for name in ("ended", "cost", "input", "cache_read", "cache_write", "cache_write_1h")
        ],
        *[
            sa.Column(name, number)
            for name in (
                *("output", "reasoning", "input_audio", "output_audio", "web_searches"),
                *("first_byte_us", "total_us", "overrun", "end_position"),
            )
        ],
        sa.Column("http_status", sa.Integer()),
        *[sa.Column(name, text) for name in ("upstream_id", "answered_model", "losses", "reason")],
    )
    op.create_index("ix_queries_position", "queries", ["position"])
    op.create_index("ix_queries_key", "queries", ["key"])
    op.create_index("ix_queries_end_position", "queries", ["end_position"])
    op.create_table(
        "keys",
        sa.Column("id", text, primary_key=True),
        sa.Column("name", text, nullable=False),
        sa.Column("made", number, nullable=False),
        sa.Column("made_by", text, nullable=False),
        *[sa.Column(name, number) for name in ("expires", "revoked", "max_cost")],
    )
    op.create_table(
        "progress",
        sa.Column("ledger", text, primary_key=True),
        sa.Column("position", number, nullable=False),
        *[sa.Column(name, number, nullable=False) for name in ("offset", "group", "checksum")],
    )
