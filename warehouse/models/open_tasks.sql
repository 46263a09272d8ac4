-- What stays in unfinished_tasks once the finished ones are moved: one row per task.
select
    task_id,
    max(created_at) as created_at,
    max(completed_at) as completed_at,
    max(completed_date) as completed_date,
    max(count_assignments) as count_assignments,
from marts.unfinished_tasks
group by task_id
having max(created_at) is null or max(completed_at) is null
