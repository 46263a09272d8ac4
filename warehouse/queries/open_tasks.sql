-- One row per class of age at $now: how many tasks are open, in order of age, and the oldest of all.
with tasks as (
    select max(created_at) as created_at
    from marts.unfinished_tasks
    group by task_id
    having max(created_at) is not null and max(completed_at) is null
),

ages as (
    select
        created_at,
        case
            when created_at >= $now::timestamptz - interval 24 hour then 24
            when created_at >= $now::timestamptz - interval 72 hour then 72
            when created_at >= $now::timestamptz - interval 168 hour then 168
            when created_at >= $now::timestamptz - interval 672 hour then 672
        end as within_hours,
    from tasks
)

select
    bounds.within_hours,
    count(ages.created_at) as count_tasks,
    min(min(ages.created_at)) over () as oldest_at,
from (values (24), (72), (168), (672), (null)) as bounds (within_hours)
left join ages on ages.within_hours is not distinct from bounds.within_hours
group by bounds.within_hours
order by bounds.within_hours nulls last
