-- The dearest task kept for a day is the dearest completed that day; ties go to the earlier, then
-- the lower id.
-- asset: marts.dearest_tasks
with expected as (
    select business_date, task_id, reward_cents
    from lake_events
    where type = 'task.completed'
    qualify row_number() over (
        partition by business_date order by reward_cents desc, occurred_at, task_id
    ) = 1
),

kept as (
    select business_date, task_id, reward_cents
    from lake.marts.dearest_tasks
    qualify row_number() over (
        partition by business_date order by reward_cents desc, completed_at, task_id
    ) = 1
)

select 'not kept' as fault, *
from (select * from expected except all select * from kept)
union all
select 'not the dearest' as fault, *
from (select * from kept except all select * from expected)
