-- The lake's events with the values of their data. Read first: it fixes the lake's snapshot.
create temp table lake_events as
with parsed as (
    select
        *,
        try(from_json(data, '{
            "task_id": "UUID", "title": "VARCHAR", "fee_cents": "BIGINT", "reward_cents": "BIGINT",
            "assignee_id": "UUID", "employee_id": "UUID", "assignment_number": "INTEGER"
        }')) as fact,
    from lake.raw.events
)

select
    * exclude (fact),
    fact.task_id as task_id,
    fact.title as title,
    coalesce(fact.assignee_id, fact.employee_id) as person_id,
    fact.fee_cents as fee_cents,
    fact.reward_cents as reward_cents,
    fact.assignment_number as assignment_number,
from parsed
