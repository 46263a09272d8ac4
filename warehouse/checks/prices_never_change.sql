-- Every assignment and completion carries the fee and the reward its task was created with
-- (tasks without a quarantined event).
-- asset: raw.events
with created as (
    select task_id, fee_cents, reward_cents
    from lake_events
    where type = 'task.created'
)

select
    event.position,
    event.type,
    event.task_id,
    event.fee_cents,
    created.fee_cents as created_fee_cents,
    event.reward_cents,
    created.reward_cents as created_reward_cents,
from lake_events as event
anti join quarantined using (subject)
left join created on created.task_id = event.task_id
where (event.type = 'task.assigned' and event.fee_cents is distinct from created.fee_cents)
    or (event.type = 'task.completed' and event.reward_cents is distinct from created.reward_cents)
