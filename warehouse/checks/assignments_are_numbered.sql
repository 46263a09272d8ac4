-- The assignments of a task are numbered 1, 2, 3 in their order (tasks without a quarantined event).
-- asset: raw.events
select
    position,
    task_id,
    assignment_number,
    row_number() over (partition by task_id order by position) as expected_number,
from lake_events
anti join quarantined using (subject)
where type = 'task.assigned'
qualify assignment_number is distinct from expected_number
