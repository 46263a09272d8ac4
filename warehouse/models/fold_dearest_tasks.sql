-- The dearest task of each day, for the days that have several candidates.
select *
from marts.dearest_tasks
where business_date in (
    select business_date from marts.dearest_tasks group by business_date having count(*) > 1
)
qualify row_number() over (
    partition by business_date
    order by reward_cents desc, completed_at, task_id
) = 1
