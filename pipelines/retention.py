"""Forgets what Dagster would keep for ever: old events, evaluations of checks, and runs.

What Dagster still needs stays however old it is: the newest event of each kind of every asset and
partition (a partition would be missing, a table overdue) and the newest evaluation of every check.
Ticks it forgets by itself. Each batch is a statement of its own over rows that nobody writes any
more, so a daemon at work is not held up, and a run that is killed goes on where it was.
"""

import datetime as dt

import msgspec
from sqlalchemy import Engine, TextClause, text

ROWS_PER_BATCH = 5_000
BATCHES_MAX = 2_000

FORGET_CHECKS = text("""
with old as (
    select id from asset_check_executions as old
    where id > :after and create_timestamp < :before and exists (
        select 1 from asset_check_executions as newer
        where newer.asset_key = old.asset_key and newer.check_name = old.check_name
            and newer.partition is not distinct from old.partition and newer.id > old.id
    )
    order by id limit :rows
), gone as (
    delete from asset_check_executions using old where asset_check_executions.id = old.id
    returning old.id
)
select count(*), max(id) from gone
""")
FORGET_EVENTS = text("""
with kept_evaluations as materialized (
    select evaluation_event_storage_id as id from asset_check_executions
), old as (
    select id from event_logs as old
    where id > :after and timestamp < :before
        and not exists (select 1 from kept_evaluations as kept where kept.id = old.id)
        and (old.asset_key is null or exists (
            select 1 from event_logs as newer
            where newer.asset_key = old.asset_key
                and newer.dagster_event_type = old.dagster_event_type
                and newer.partition is not distinct from old.partition and newer.id > old.id
        ))
    order by id limit :rows
), gone as (
    delete from event_logs using old where event_logs.id = old.id returning old.id
), tags as (
    delete from asset_event_tags where event_id in (select id from gone)
)
select count(*), max(id) from gone
""")
# A run stays as long as one of its events does.
FORGET_RUNS = text("""
with old as (
    select id from runs
    where id > :after and update_timestamp < :before
        and status in ('SUCCESS', 'FAILURE', 'CANCELED')
        and not exists (select 1 from event_logs where event_logs.run_id = runs.run_id)
    order by id limit :rows
), gone as (
    delete from runs using old where runs.id = old.id returning old.id
)
select count(*), max(id) from gone
""")
SIZE = text("select pg_database_size(current_database())")


class Forgotten(msgspec.Struct, frozen=True):
    """How many rows went, and how many bytes the database takes afterwards."""

    count_checks: int
    count_events: int
    count_runs: int
    database_bytes: int


def forget_old(engine: Engine, *, before: dt.datetime) -> Forgotten:
    """Delete what is older than `before` and not needed; BATCHES_MAX batches of each at most."""
    return Forgotten(
        count_checks=_forget(engine, FORGET_CHECKS, before),
        count_events=_forget(engine, FORGET_EVENTS, before),
        count_runs=_forget(engine, FORGET_RUNS, before),
        database_bytes=_size(engine),
    )


def _forget(engine: Engine, statement: TextClause, before: dt.datetime) -> int:
    assert before.tzinfo is not None, "Dagster's times are UTC without saying so"
    utc = before.astimezone(dt.UTC).replace(tzinfo=None)
    count_gone, after = 0, 0
    for _ in range(BATCHES_MAX):
        with engine.begin() as connection:
            bound = {"after": after, "before": utc, "rows": ROWS_PER_BATCH}
            count, last = connection.execute(statement, bound).one()
        count_gone += count
        if count < ROWS_PER_BATCH:
            break
        after = last
    return count_gone


def _size(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(SIZE).scalar_one())
