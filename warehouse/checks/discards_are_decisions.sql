-- An event is discarded in the lake exactly if somebody decided so, for its own day and amounts.
-- asset: raw.quarantine
with discarded as (
    select position, discarded_date, discarded_fee_cents, discarded_reward_cents
    from quarantined
    where settled_as = 'discarded'
),

decided as (
    select position, business_date, fee_cents, reward_cents
    from tracker.public.discarded_events
),

-- Decided on what the log says, and applied to nothing else; a decision about a position that was
-- read meanwhile, or has not arrived, has no effect.
effective as (
    select decided.*
    from decided
    semi join quarantined using (position)
)

select 'discarded, but not decided' as fault, *
from (select * from discarded except all select * from decided)
union all
select 'decided, but not discarded' as fault, *
from (select * from effective except all select * from discarded)
