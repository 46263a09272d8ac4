-- The dearest completed task of each business date within this batch.
select
    business_date,
    task_id,
    title,
    reward_cents,
    occurred_at as completed_at,
    position,
from events
where type = 'task.completed'
qualify row_number() over (
    partition by business_date
    order by reward_cents desc, occurred_at, task_id
) = 1
