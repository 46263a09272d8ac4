-- One row per day.
select
    business_date,
    sum(count_created)::bigint as count_created,
    sum(count_assigned)::bigint as count_assigned,
    sum(count_reassigned)::bigint as count_reassigned,
    sum(count_completed)::bigint as count_completed,
from marts.task_days
group by business_date
order by business_date
