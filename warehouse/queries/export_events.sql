-- One row per event in the lake, in the order of the log; `data` is JSON as it was published.
select
    position,
    event_id,
    type,
    version,
    subject,
    sequence,
    occurred_at,
    business_date,
    data,
from lake.raw.events
order by position
