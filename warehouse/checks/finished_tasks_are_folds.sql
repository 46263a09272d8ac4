-- Completed tasks are kept with the time they took and the assignments they had, by the lake's
-- events.
-- asset: marts.finished_tasks
with tasks as (
    select
        max(occurred_at) filter (type = 'task.created') as created_at,
        max(occurred_at) filter (type = 'task.completed') as completed_at,
        max(business_date) filter (type = 'task.completed') as business_date,
        count(*) filter (type = 'task.assigned') as count_assignments,
    from lake_events
    where type like 'task.%'
    group by task_id
    having count(*) filter (type = 'task.created') > 0
        and count(*) filter (type = 'task.completed') > 0
),

timed as (
    select
        *,
        greatest(0, floor(epoch(completed_at) - epoch(created_at)))::bigint as seconds,
    from tasks
),

folded as (
    select
        business_date,
        (
            select min(hours)
            from (values (1), (4), (24), (72), (168), (672)) as bounds (hours)
            where timed.seconds <= hours * 3600
        ) as within_hours,
        least(count_assignments, 5) as assignments,
        count(*) as count_tasks,
        sum(count_assignments) as count_assignments,
        sum(seconds) as seconds,
    from timed
    group by all
),

kept as (
    select
        business_date,
        within_hours,
        assignments,
        sum(count_tasks) as count_tasks,
        sum(count_assignments) as count_assignments,
        sum(seconds) as seconds,
    from lake.marts.completions
    group by all
)

select 'kept, but not in the events' as fault, *
from (select * from kept except all select * from folded)
union all
select 'in the events, but not kept' as fault, *
from (select * from folded except all select * from kept)
