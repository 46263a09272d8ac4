-- The sums a day is closed with are those of the events themselves: fee of an assignment, reward of
-- a completion.
-- asset: tracker.event_log
select
    ordinal,
    type,
    fee_cents,
    reward_cents,
    fact.fee_cents as data_fee_cents,
    fact.reward_cents as data_reward_cents,
from log_events
anti join quarantined using (position)
where fee_cents is distinct from if(type = 'task.assigned', fact.fee_cents, 0)
    or reward_cents is distinct from if(type = 'task.completed', fact.reward_cents, 0)
