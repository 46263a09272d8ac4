"""Alembic's entry: runs the revisions in the transaction that `ops_api.database.migrate` opened."""

from alembic import context

from ops_api import tables

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=tables.employees.metadata)
with context.begin_transaction():
    context.run_migrations()
