"""Columns for what is metered beside text: images, speech, sound and searches."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

METERS = ("input_image", "output_image", "characters", "audio_seconds", "search_units")


def upgrade() -> None:
    """Add the columns; rows that are older used nothing of it."""
    for name in METERS:
        op.add_column("queries", sa.Column(name, sa.BigInteger()))
