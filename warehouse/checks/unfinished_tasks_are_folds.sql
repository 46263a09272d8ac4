-- The tasks kept as open are those the lake's events created and did not complete.
-- asset: marts.unfinished_tasks
with kept as (
    select
        task_id,
        max(created_at) as created_at,
    from lake.marts.unfinished_tasks
    group by task_id
    having max(completed_at) is null
),

folded as (
    select
        task_id,
        max(occurred_at) filter (type = 'task.created') as created_at,
    from lake_events
    where type like 'task.%'
    group by task_id
    having count(*) filter (type = 'task.created') > 0
        and count(*) filter (type = 'task.completed') = 0
)

select 'kept, but not in the events' as fault, *
from (select * from kept except all select * from folded)
union all
select 'in the events, but not kept' as fault, *
from (select * from folded except all select * from kept)
