-- Every event up to the compared position is in the lake or in quarantine, exactly once, and
-- nothing else is.
-- asset: raw.events
with arrivals as (
    select position from lake_events
    union all
    select position from quarantined
),

arrived as (
    select position, count(*) as count_arrivals
    from arrivals
    group by position
)

select
    position,
    log.event_id,
    log.type,
    coalesce(arrived.count_arrivals, 0) as count_arrivals,
from (select * from log_events where position is not null) as log
full join arrived using (position)
where (position <= (select through from scope) and coalesce(arrived.count_arrivals, 0) <> 1)
    or arrived.count_arrivals > 1
    or log.event_id is null
