"""Moves committed events from the outbox into the event log, each with a gapless position.

A reader that asks for "ids above the last one" loses rows that commit late. The sequencer instead
deletes the very rows it sees and numbers them in the same statement: a row that commits later is
simply moved later. A task's events keep their order, because a command writes them while it holds
the task's row lock, so a later event gets both a higher id and a later commit.

The rows are taken as a range of ids, which within one statement, and so one snapshot, are exactly
the rows it sees. Not as a join with a list of ids: its plan depends on statistics, and those of an
outbox that was empty when they were taken make PostgreSQL compare every row with every id.
"""

from sqlalchemy import Connection, text

from ops_api import locks
from ops_api.outbox.models import EVENT_COLUMNS

MOVE_LIMIT = 5000

_COLUMNS = ", ".join(EVENT_COLUMNS)
_MOVE = text(f"""
select pg_advisory_xact_lock({locks.SEQUENCER});
with last as materialized (
    select coalesce(
        (select outbox_id from outbox order by outbox_id offset :limit - 1 limit 1),
        (select max(outbox_id) from outbox)
    ) as outbox_id
),
moved as (
    delete from outbox where outbox_id <= (select outbox_id from last)
    returning outbox.*
),
logged as (
    insert into event_log (position, {_COLUMNS})
    select head.last_position + row_number() over (order by moved.outbox_id), {_COLUMNS}
    from moved cross join log_head as head
    returning position
)
update log_head set last_position = last_position + (select count(*) from logged)
where exists (select from logged)
returning (select count(*) from logged)
""")  # noqa: S608 - the column names are our own constants


def move_committed(connection: Connection, limit: int = MOVE_LIMIT) -> int:
    """Give positions to at most `limit` committed events and return how many.

    The caller owns the transaction. One caller at a time: others wait for its end.
    """
    return connection.execute(_MOVE, {"limit": limit}).scalar() or 0


def move_all(connection: Connection) -> int:
    """Move until nothing committed (or written by this transaction) is left in the outbox.

    Ends because the caller keeps writers out: see `days.commands`.
    """
    count_moved = moved = move_committed(connection)
    while moved == MOVE_LIMIT:
        moved = move_committed(connection)
        count_moved += moved
    return count_moved
