-- Tasks completed from $first to $last, grouped by the time they took, then by how often they were
-- assigned, then all together; `grouping_id` tells which: 1 by time, 2 by assignments, 3 all.
select
    grouping(within_hours, assignments) as grouping_id,
    within_hours,
    assignments,
    coalesce(sum(count_tasks), 0)::bigint as count_tasks,
    coalesce(sum(count_assignments), 0)::bigint as count_assignments,
    coalesce(sum(seconds), 0)::bigint as seconds,
from marts.completions
where business_date between $first and $last
group by grouping sets ((within_hours), (assignments), ())
order by grouping_id, within_hours nulls last, assignments
