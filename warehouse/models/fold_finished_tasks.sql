-- One row per group, for the days that have several of a group.
select
    business_date,
    within_hours,
    assignments,
    sum(count_tasks)::bigint as count_tasks,
    sum(count_assignments)::bigint as count_assignments,
    sum(seconds)::bigint as seconds,
from marts.finished_tasks
where business_date in (
    select business_date
    from marts.finished_tasks
    group by business_date, within_hours, assignments
    having count(*) > 1
)
group by business_date, within_hours, assignments
