-- Positions of the event log run from 1 to its head, without a hole or a repeat.
-- asset: tracker.event_log
with numbered as (
    select
        position,
        row_number() over (order by position) as expected_position,
    from log_events
    where position is not null
)

(
    select position, expected_position
    from numbered
    where position <> expected_position
    order by expected_position
    limit 1
)
union all
select head as position, (select count(*) from numbered) as expected_position
from scope
where head <> (select count(*) from numbered)
