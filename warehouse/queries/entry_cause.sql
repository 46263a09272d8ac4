-- The event of the business day $on that made the entry $entry_id, which bears its id.
select
    position,
    event_id,
    type,
    version,
    sequence,
    occurred_at,
    correlation_id,
    data,
from lake.raw.events
where business_date = $on and event_id = $entry_id
