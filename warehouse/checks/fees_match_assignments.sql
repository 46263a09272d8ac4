-- Every assignment has one fee, charged to its assignee on its day; there is no fee without one.
-- asset: ledger.postings
with assignments as (
    select
        event_id,
        person_id::varchar as account,
        -fee_cents as amount_cents,
        business_date,
        occurred_at,
        task_id,
        title,
        position,
    from lake_events
    where type = 'task.assigned'
),

fees as (
    select
        event_id,
        account,
        amount_cents,
        business_date,
        occurred_at,
        task_id,
        title,
        position,
    from lake.ledger.postings
    where kind = 'fee' and account <> 'company'
)

select 'assignment without this fee' as fault, *
from (select * from assignments except all select * from fees)
union all
select 'fee without this assignment' as fault, *
from (select * from fees except all select * from assignments)
