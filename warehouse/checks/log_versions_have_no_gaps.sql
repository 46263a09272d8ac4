-- The versions of every task, employee and day run 1, 2, 3 in the order of the log.
-- asset: tracker.event_log
select
    subject,
    ordinal,
    sequence,
    row_number() over (partition by subject order by ordinal) as expected_sequence,
from log_events
qualify sequence <> expected_sequence
