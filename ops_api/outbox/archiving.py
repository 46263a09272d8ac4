"""Letting go of the oldest events, of which the lake's archive holds a copy it has proven.

They leave in the order of their positions, so the log stays whole from its first row to its last.
What a task's history shows of them stays here, in the same transaction.
"""

from sqlalchemy import Connection, text

# Rows of one transaction: a fraction of a second, and nobody else writes these.
REMOVED_ROWS_MAX = 10_000

_REMOVE = text("""
with gone as (
    delete from event_log
    where position <= least(:through, (select min(position) from event_log) + :rows_max - 1)
    returning *
),
kept as (
    insert into archived_task_events
        (task_id, sequence, type, occurred_at, employee_id, fee_cents, reward_cents)
    select case when type like 'task.%' then subject::uuid end, sequence, type, occurred_at,
        employee_id, fee_cents, reward_cents
    from gone where type like 'task.%'
)
select count(*) from gone
""")


def remove_oldest(connection: Connection, *, through: int) -> int:
    """Remove the first rows up to a position, at most REMOVED_ROWS_MAX of them; how many went."""
    values = {"through": through, "rows_max": REMOVED_ROWS_MAX}
    return int(connection.execute(_REMOVE, values).scalar_one())
