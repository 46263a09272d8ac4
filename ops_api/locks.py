"""PostgreSQL advisory locks of the tracker: one number each, and the order to take them in.

A transaction takes them in the order of this list and before any row lock, and in a statement of
its own: a statement sees the database as it was when the statement began, so one that waits for a
lock and reads at once would read the past. Where a round trip counts, the lock's statement and the
next one travel together, parted by a semicolon: each still sees the database as it finds it.

BUSINESS_DAY  commands share it; closing a day takes it alone. So a day's events are all committed
              when its certificate is written.
STAFF         drawing an assignee shares it; a change that takes somebody off the list of
              assignable employees takes it alone. So nobody is drawn who has just left.
REASSIGN      one reassignment at a time.
SEQUENCER     one mover from outbox to event log at a time.
RELAY         a session lock: one publishing relay at a time.
MIGRATION     one migration at a time.
IMPORT        a session lock: one running import of a log at a time.
"""

from sqlalchemy import Connection, text

BUSINESS_DAY = 0x61746501
SEQUENCER = 0x61746502
RELAY = 0x61746503
STAFF = 0x61746504
REASSIGN = 0x61746505
MIGRATION = 0x61746506
IMPORT = 0x61746507

# SQL texts, to be put before a statement that reads what the lock protects.
SHARE_BUSINESS_DAY = f"select pg_advisory_xact_lock_shared({BUSINESS_DAY});"
SHARE_BUSINESS_DAY_AND_STAFF = f"""
select pg_advisory_xact_lock_shared({BUSINESS_DAY}), pg_advisory_xact_lock_shared({STAFF});
"""

_SHARED_DAY = text(SHARE_BUSINESS_DAY)
_SHARED_DAY_AND_STAFF = text(SHARE_BUSINESS_DAY_AND_STAFF)
_ALONE = text("select pg_advisory_xact_lock(:lock)")
_TRY_SESSION = text("select pg_try_advisory_lock(:lock)")
_RELEASE_SESSION = text("select pg_advisory_unlock(:lock)")


def share_business_day(connection: Connection) -> None:
    """Keep the day from being closed until this transaction ends."""
    connection.execute(_SHARED_DAY)


def share_business_day_and_staff(connection: Connection) -> None:
    """The same, and keep every assignable employee assignable until this transaction ends."""
    connection.execute(_SHARED_DAY_AND_STAFF)


def take_alone(connection: Connection, lock: int) -> None:
    """Wait until nobody else holds the lock and keep it until this transaction ends."""
    connection.execute(_ALONE, {"lock": lock})


def try_session_lock(connection: Connection, lock: int) -> bool:
    """Take a lock that outlives transactions, or say at once that somebody else has it.

    It is released by `release_session_lock` or by the end of the database session.
    """
    return bool(connection.execute(_TRY_SESSION, {"lock": lock}).scalar_one())


def release_session_lock(connection: Connection, lock: int) -> None:
    """Give back what `try_session_lock` took."""
    connection.execute(_RELEASE_SESSION, {"lock": lock})
