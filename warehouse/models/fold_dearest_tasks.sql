-- The dearest task of each day.
select *
from marts.dearest_tasks
qualify row_number() over (
    partition by business_date
    order by reward_cents desc, completed_at, task_id
) = 1
