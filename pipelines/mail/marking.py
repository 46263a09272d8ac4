"""Marking a mail as sent, once the server has it: with patience, for a copy goes out otherwise."""

from collections.abc import Callable
from time import sleep

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

TRIES_MAX = 6
RETRY_SECONDS = 0.5


class Marker:
    """Marks over a database connection that stays open while mails go out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def close(self) -> None:
        """Give the connection back; the next mark takes one again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def mark(self, write: Callable[[Connection], object]) -> None:
        """Carry out `write`, one statement that may be repeated.

        A database that restarts just now must not cost a second copy: tried TRIES_MAX times, then
        raises OperationalError.
        """
        for tries_left in reversed(range(TRIES_MAX)):
            try:
                write(self._connected())
            except OperationalError:
                self.close()
                if not tries_left:
                    raise
                sleep(RETRY_SECONDS)
            else:
                return

    def _connected(self) -> Connection:
        if self._connection is None:
            # Without begin and commit around its one statement.
            self._connection = self._engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            )
        return self._connection
