-- Every archived day holds the events that were copied, character by character, and the days follow
-- each other from position 1.
-- asset: raw.event_log_archive
with recorded as (
    select
        *,
        coalesce(lag(last_position) over (order by business_date), 0) + 1 as expected_first,
    from lake.ops.archived_days
)

select
    business_date,
    recorded.count_events,
    found.count_events as found_events,
    recorded.first_position,
    found.first_position as found_first,
    recorded.last_position,
    found.last_position as found_last,
from recorded
full join lake.ops.archived_day_digests as found using (business_date)
where recorded.sha256 is distinct from found.sha256
    or recorded.count_events is distinct from found.count_events
    or recorded.first_position is distinct from found.first_position
    or recorded.last_position is distinct from found.last_position
    or recorded.first_position is distinct from recorded.expected_first
