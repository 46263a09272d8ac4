"""Of payouts' e-mails and waiting events: what only the tracker's PostgreSQL knows. Read only."""

import datetime as dt
from collections.abc import Callable
from typing import Literal, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import Connection, TextClause, create_engine, text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from warehouse.reading import MANAGEMENT, Reader, require_role, require_self

CONNECT_SECONDS_MAX = 3
STATEMENT_MILLISECONDS_MAX = 3_000
CONNECTIONS_MAX = 4
UNDEFINED_TABLE = "42P01"
T = TypeVar("T")

_COLUMNS = "delivery_id, state, sent_at, attempts"
_OF_DAY = text(
    f"select {_COLUMNS} from mail.deliveries where business_date = :business_date"  # noqa: S608 - ours
)
_OWN = text(
    f"select {_COLUMNS} from mail.deliveries"  # noqa: S608 - ours
    " where employee_id = :employee_id and business_date between :first and :last"
)
_BACKLOG = text("""
select
    log_head.last_position + (select count(*) from outbox) as last_position,
    coalesce(
        (select recorded_at from event_log where position = :arrived + 1),
        (select min(occurred_at) from outbox)
    ) as waiting_since
from log_head
""")


class Delivery(msgspec.Struct, frozen=True):
    """How far one payout's e-mail is; a blocked one was given up on."""

    state: Literal["pending", "sending", "sent", "blocked"]
    sent_at: dt.datetime | None
    attempts: int


class Backlog(msgspec.Struct, frozen=True):
    """Events the lake does not have yet, and since when the oldest of them waits."""

    count_waiting: int
    waiting_since: dt.datetime | None


class TrackerDatabaseSilentError(RuntimeError):
    """The tracker's database does not answer, or not soon enough."""


class TrackerDatabase:
    """The tracker's PostgreSQL, with connections that cannot write and calls that end."""

    def __init__(self, database_url: str) -> None:
        """Connects when first read."""
        self._engine = create_engine(
            database_url,
            pool_size=CONNECTIONS_MAX,
            max_overflow=0,
            pool_timeout=CONNECT_SECONDS_MAX,
            pool_pre_ping=True,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "connect_timeout": CONNECT_SECONDS_MAX,
                "options": f"-c statement_timeout={STATEMENT_MILLISECONDS_MAX} -c timezone=UTC"
                " -c default_transaction_read_only=on",
                "application_name": "ates dashboards",
            },
        )

    def read(self, query: Callable[[Connection], T]) -> T:
        """What a query answers. Raises TrackerDatabaseSilentError."""
        try:
            with self._engine.connect() as connection:
                return query(connection)
        except SQLAlchemyError as error:
            raise TrackerDatabaseSilentError(str(error)) from error


def read_deliveries_of_day(
    connection: Connection, *, reader: Reader, business_date: dt.date
) -> dict[UUID, Delivery]:
    """The e-mails of a day's payouts by entry id; a payout without one is absent.

    Raises ReadRefusedError.
    """
    require_role(reader, MANAGEMENT)
    return _deliveries(connection, _OF_DAY, business_date=business_date)


def read_own_deliveries(
    connection: Connection,
    *,
    reader: Reader,
    employee_id: UUID,
    first: dt.date,
    last: dt.date,
) -> dict[UUID, Delivery]:
    """The same for the payouts of one's own account. Raises ReadRefusedError."""
    require_self(reader, employee_id)
    return _deliveries(connection, _OWN, employee_id=employee_id, first=first, last=last)


def read_backlog(connection: Connection, *, arrived: int) -> Backlog:
    """What the lake misses when every position up to `arrived` is in it; anybody may know that."""
    row = connection.execute(_BACKLOG, {"arrived": arrived}).one()
    count_waiting = max(0, row.last_position - arrived)
    return Backlog(count_waiting, row.waiting_since if count_waiting else None)


def _deliveries(
    connection: Connection, query: TextClause, **values: object
) -> dict[UUID, Delivery]:
    try:
        found = connection.execute(query, values).all()
    except ProgrammingError as error:
        if getattr(error.orig, "pgcode", None) == UNDEFINED_TABLE:
            return {}  # nothing was ever mailed: the mail office makes its tables when it starts
        raise
    return {row.delivery_id: Delivery(row.state, row.sent_at, row.attempts) for row in found}
