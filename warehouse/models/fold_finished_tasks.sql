-- One row per day, class of duration and number of assignments.
select
    business_date,
    within_hours,
    assignments,
    sum(count_tasks)::bigint as count_tasks,
    sum(count_assignments)::bigint as count_assignments,
    sum(seconds)::bigint as seconds,
from marts.finished_tasks
group by business_date, within_hours, assignments
order by business_date
