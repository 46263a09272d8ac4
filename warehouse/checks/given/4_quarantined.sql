-- Events of the log that are in quarantine instead of among the lake's events, with what the log
-- knows of them; `settled_as` is null while they wait and 'discarded' after that decision.
create temp table quarantined as
select
    position,
    quarantine.settled_as,
    quarantine.business_date as discarded_date,
    quarantine.fee_cents as discarded_fee_cents,
    quarantine.reward_cents as discarded_reward_cents,
    log.type,
    log.subject,
    log.business_date,
    log.fee_cents,
    log.reward_cents,
from lake.raw.quarantine as quarantine
left join log_events as log using (position)
where position is not null and quarantine.settled_as is distinct from 'retried'
