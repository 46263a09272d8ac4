"""A psycopg2 connection that saves round trips: BEGIN travels with a transaction's first statement.

psycopg2 sends BEGIN by itself and waits for the answer. Each round trip costs a busy tracker more
than the statement: the thread gives up the interpreter's lock and has to get it back. For
SQLAlchemy nothing changes. A last statement may end in `;commit` by itself: then the transaction is
over, and the commit that follows has nothing to do. If it fails nothing is committed.
"""

from typing import Any

from psycopg2 import extensions, sql

BEGIN = "begin;"


class Cursor(extensions.cursor):
    """Opens a transaction with whatever comes first."""

    def execute(self, query: str | bytes | sql.Composable, values: Any = None) -> None:
        """Like psycopg2's; raises what that raises."""
        if _must_begin(self.connection):
            query = _after_begin(query)
        super().execute(query, values)

    def executemany(self, query: str | bytes | sql.Composable, vars_list: Any) -> None:
        """Like psycopg2's; raises what that raises."""
        self._begin()
        super().executemany(query, vars_list)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        """Like psycopg2's; raises what that raises."""
        self._begin()
        super().copy_expert(sql, file, size)

    def _begin(self) -> None:
        if _must_begin(self.connection):
            super().execute(BEGIN)


class Connection(extensions.connection):
    """Commits and rolls back what its cursors began; PostgreSQL is asked only if there is any."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.autocommit = True  # so psycopg2 leaves transactions to us
        self.has_transactions = True
        self.cursor_factory = Cursor

    def set_isolation_level(self, level: int | None) -> None:
        """SQLAlchemy's AUTOCOMMIT, for what runs outside of transactions, and the way back."""
        self.has_transactions = level != extensions.ISOLATION_LEVEL_AUTOCOMMIT

    def commit(self) -> None:
        """End the transaction, if one is open; a failed one is rolled back, as PostgreSQL does."""
        self._end("commit")

    def rollback(self) -> None:
        """Undo the transaction, if one is open."""
        self._end("rollback")

    def _end(self, word: str) -> None:
        if not _is_idle(self):
            with self.cursor() as cursor:
                cursor.execute(word)


def _must_begin(connection: extensions.connection) -> bool:
    return (
        isinstance(connection, Connection) and connection.has_transactions and _is_idle(connection)
    )


def _is_idle(connection: extensions.connection) -> bool:
    """Whether no transaction is open; known without asking PostgreSQL."""
    return connection.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE


def _after_begin(query: str | bytes | sql.Composable) -> str | bytes | sql.Composable:
    if isinstance(query, bytes):
        return BEGIN.encode() + query
    return sql.SQL(BEGIN) + query if isinstance(query, sql.Composable) else BEGIN + query
