-- The lake knows every created task, once, with its prices, author and time.
-- asset: marts.tasks_created
with created as (
    select
        task_id,
        fee_cents,
        reward_cents,
        occurred_at as created_at,
        business_date,
        position,
    from lake_events
    where type = 'task.created'
),

known as (
    select
        task_id,
        fee_cents,
        reward_cents,
        created_at,
        business_date,
        position,
    from lake.marts.tasks_created
)

select 'not known' as fault, *
from (select * from created except all select * from known)
union all
select 'never created' as fault, *
from (select * from known except all select * from created)
