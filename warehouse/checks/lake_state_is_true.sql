-- The lake's state names the positions it really has, and never more than the log.
-- asset: ops.ingest_state
with arrivals as (
    select position from lake_events
    union
    select position from quarantined
),

found as (
    select
        coalesce(max(position) filter (position = ordinal), 0) as contiguous_position,
        coalesce(max(position), 0) as last_position,
    from (select position, row_number() over (order by position) as ordinal from arrivals)
)

select
    scope.through as contiguous_position,
    found.contiguous_position as found_contiguous_position,
    scope.last_position,
    found.last_position as found_last_position,
    scope.head,
from scope
cross join found
where scope.through <> found.contiguous_position
    or scope.last_position <> found.last_position
    or scope.last_position > scope.head
