-- What happened to tasks on a day is counted as the lake's events say.
-- asset: marts.task_days
with kept as (
    select
        business_date,
        sum(count_created) as count_created,
        sum(count_assigned) as count_assigned,
        sum(count_reassigned) as count_reassigned,
        sum(count_completed) as count_completed,
    from lake.marts.task_days
    group by business_date
),

folded as (
    select
        business_date,
        count(*) filter (type = 'task.created') as count_created,
        count(*) filter (type = 'task.assigned') as count_assigned,
        count(*) filter (assignment_number > 1) as count_reassigned,
        count(*) filter (type = 'task.completed') as count_completed,
    from lake_events
    where type like 'task.%'
    group by business_date
)

select 'kept, but not in the events' as fault, *
from (select * from kept except all select * from folded)
union all
select 'in the events, but not kept' as fault, *
from (select * from folded except all select * from kept)
