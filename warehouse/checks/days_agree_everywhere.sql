-- Each day has the same count, fees and rewards in the tracker's log, the lake's events and the
-- ledger.
-- asset: marts.company_days
with log_days as (
    select
        business_date,
        count(*) as count_events,
        sum(fee_cents)::bigint as fees_cents,
        sum(reward_cents)::bigint as rewards_cents,
    from log_events anti join quarantined using (position)
    where ordinal <= (select through from scope)
    group by business_date
),

lake_days as (
    select
        business_date,
        count(*) as count_events,
        coalesce(sum(fee_cents) filter (type = 'task.assigned'), 0)::bigint as fees_cents,
        coalesce(sum(reward_cents) filter (type = 'task.completed'), 0)::bigint as rewards_cents,
    from lake_events
    where position <= (select through from scope)
    group by business_date
),

ledger_days as (
    select
        business_date,
        coalesce(sum(amount_cents) filter (kind = 'fee'), 0)::bigint as fees_cents,
        coalesce(-sum(amount_cents) filter (kind = 'reward'), 0)::bigint as rewards_cents,
    from lake.ledger.postings
    where account = 'company' and position <= (select through from scope)
    group by business_date
)

select
    business_date,
    log_days.count_events as log_count_events,
    lake_days.count_events as lake_count_events,
    log_days.fees_cents as log_fees_cents,
    lake_days.fees_cents as lake_fees_cents,
    ledger_days.fees_cents as ledger_fees_cents,
    log_days.rewards_cents as log_rewards_cents,
    lake_days.rewards_cents as lake_rewards_cents,
    ledger_days.rewards_cents as ledger_rewards_cents,
from log_days
full join lake_days using (business_date)
full join ledger_days using (business_date)
where log_days.count_events is distinct from lake_days.count_events
    or log_fees_cents is distinct from lake_fees_cents
    or log_rewards_cents is distinct from lake_rewards_cents
    or lake_fees_cents is distinct from coalesce(ledger_fees_cents, 0)
    or lake_rewards_cents is distinct from coalesce(ledger_rewards_cents, 0)
