-- Every task is created with a fee of 10 to 20 and a reward of 20 to 40, in whole units.
-- asset: raw.events
select
    position,
    task_id,
    fee_cents,
    reward_cents,
from lake_events
where type = 'task.created'
    and not coalesce(
        fee_cents between 1000 and 2000
        and fee_cents % 100 = 0
        and reward_cents between 2000 and 4000
        and reward_cents % 100 = 0,
        false
    )
