-- One row per event that could be read, as it was published.
select
    position,
    event_id,
    type,
    version,
    subject,
    sequence,
    occurred_at,
    business_date,
    correlation_id,
    data,
from events
