-- The tracker's own event log with the values of its data: its beginning from the archive, as far as
-- the log has let go of it; `position` is null while an event still waits in the outbox. `ordinal`
-- is the order of all together.
create temp table log_events as
with in_log as materialized (from tracker.public.event_log),

all_tables as (
    select *, position as ordinal from in_log
    union all by name
    select *, position as ordinal from lake.raw.event_log_archive
    where position < (select coalesce(min(position), 1::bigint << 62) from in_log)
    union all by name
    select *, 1::bigint << 62 | outbox_id as ordinal from tracker.public.outbox
),

parsed as (
    select
        position,
        ordinal,
        event_id,
        type,
        version,
        subject,
        sequence,
        occurred_at,
        business_date,
        correlation_id,
        fee_cents,
        reward_cents,
        body,
        try(from_json(body, '{"data": {
            "title": "VARCHAR", "jira_id": "VARCHAR", "external_id": "VARCHAR",
            "fee_cents": "BIGINT", "reward_cents": "BIGINT", "created_by": "UUID",
            "assignee_id": "UUID", "employee_id": "UUID", "assignment_number": "INTEGER",
            "name": "VARCHAR", "email": "VARCHAR", "role": "VARCHAR", "is_active": "BOOLEAN"
        }}')).data as fact,
    from all_tables
)

select
    *,
    coalesce(fact.assignee_id, fact.employee_id) as person_id,
from parsed
