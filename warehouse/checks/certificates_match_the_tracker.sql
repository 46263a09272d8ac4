-- The lake's certificates are the tracker's closed days, each once.
-- asset: ledger.certificates
with closed as (
    select
        day.business_date,
        day.last_position,
        day.count_events,
        day.fees_cents,
        day.rewards_cents,
        day.is_mail_wanted,
        event.position,
    from tracker.public.business_days as day
    left join log_events as event
        on event.type = 'business_day.closed' and event.subject = day.business_date::varchar
    where coalesce(event.ordinal, 0) <= (select through from scope)
        and coalesce(event.position, 0) not in (select position from quarantined)
),

certified as (
    select
        business_date,
        last_position,
        count_events,
        fees_cents,
        rewards_cents,
        is_mail_wanted,
        position,
    from lake.ledger.certificates
    where position <= (select through from scope)
)

select 'not in the lake' as fault, *
from (select * from closed except all select * from certified)
union all
select 'not in the tracker' as fault, *
from (select * from certified except all select * from closed)
