-- No event counts for a day that was closed before it.
-- asset: raw.events
select
    event.position,
    event.type,
    event.business_date,
    certificate.last_position as closed_at_position,
from lake_events as event
inner join lake.ledger.certificates as certificate
    on certificate.business_date = event.business_date
    and certificate.last_position < event.position
where event.type <> 'business_day.closed'
