-- One row per business day from $first to $last on which a task was completed: its dearest task,
-- by the highest reward, then the earlier completion, then the lower id; and whether it is the
-- dearest of all these days by the same rule.
with days as (
    select business_date, task_id, title, reward_cents, completed_at
    from marts.dearest_tasks
    where business_date between $first and $last
    qualify row_number() over (
        partition by business_date order by reward_cents desc, completed_at, task_id
    ) = 1
)

select
    *,
    row_number() over (order by reward_cents desc, completed_at, task_id) = 1 as is_of_span,
from days
order by business_date
