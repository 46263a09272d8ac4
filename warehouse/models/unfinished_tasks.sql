-- One row per task that this batch created or completed. A task's events are numbered: one creates
-- it and one completes it, all others assign it.
select
    task_id,
    max(occurred_at) filter (type = 'task.created') as created_at,
    max(occurred_at) filter (type = 'task.completed') as completed_at,
    max(business_date) filter (type = 'task.completed') as completed_date,
    max(sequence - 2) filter (type = 'task.completed') as count_assignments,
from events
where type in ('task.created', 'task.completed')
group by task_id
