"""Alembic's entry: migrations run on the connection that `records.migrate` hands over."""

from alembic import context

from farthing.ledger.records import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
