-- A certificate's count and sums are those of the day's events up to its position, quarantined ones
-- included.
-- asset: ledger.certificates
with events as (
    select
        position,
        type,
        business_date,
        if(type = 'task.assigned', fee_cents, 0) as fee_cents,
        if(type = 'task.completed', reward_cents, 0) as reward_cents,
    from lake_events
    union all
    select position, type, business_date, fee_cents, reward_cents
    from quarantined
),

days as (
    select
        certificate.business_date,
        certificate.count_events,
        certificate.fees_cents,
        certificate.rewards_cents,
        count(event.position) as found_count_events,
        coalesce(sum(event.fee_cents), 0)::bigint as found_fees_cents,
        coalesce(sum(event.reward_cents), 0)::bigint as found_rewards_cents,
    from lake.ledger.certificates as certificate
    left join events as event
        on event.business_date = certificate.business_date
        and event.position <= certificate.last_position
        and event.type <> 'business_day.closed'
    where certificate.last_position <= (select through from scope)
    group by all
)

select *
from days
where (count_events, fees_cents, rewards_cents)
    <> (found_count_events, found_fees_cents, found_rewards_cents)
