"""Why answers ended.

What is older is made again: the next projection fills all tables from the journal.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column, and forget how far the projection had come."""
    op.execute(sa.delete(sa.table("progress")))
    op.add_column("queries", sa.Column("finish", sa.Text()))
