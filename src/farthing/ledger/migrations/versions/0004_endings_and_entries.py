"""What paid for queries, who keys belong to, scopes, and everything that was entered.

What is older is made again: the next projection fills all tables from the journal.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

PAID = ("tokens", "list_cost", "from_credit", "from_commitment", "effective")


def upgrade() -> None:
    """Add columns and tables, and forget how far the projection had come."""
    for table in ("queries", "keys", "progress"):
        op.execute(sa.delete(sa.table(table)))
    for name in PAID:
        op.add_column("queries", sa.Column(name, sa.BigInteger()))
    with op.batch_alter_table("queries") as queries:
        queries.add_column(sa.Column("unpriced", sa.Boolean(), nullable=False))
    with op.batch_alter_table("keys") as keys:
        keys.add_column(sa.Column("parent", sa.Text(), nullable=False))
    op.create_table(
        "scopes",
        *_texts("ledger", "scope", "parent"),
        sa.Column("made", sa.BigInteger(), nullable=False),
        *_texts("made_by"),
        sa.PrimaryKeyConstraint("ledger", "scope"),
    )
    op.create_table(
        "entries",
        *_texts("ledger"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *_texts("kind", "by", "subject", "entry"),
        sa.PrimaryKeyConstraint("ledger", "position"),
    )
    op.create_index("ix_entries_kind", "entries", ["ledger", "kind", "position"])
    op.create_index("ix_entries_subject", "entries", ["ledger", "subject", "position"])


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]
