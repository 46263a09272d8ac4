-- The task $task_id as it was created.
select
    task.task_id,
    task.title,
    task.jira_id,
    task.fee_cents,
    task.reward_cents,
    task.created_at,
    employee.name as created_by,
    task.business_date,
from lake.marts.tasks_created as task
left join marts.employees as employee on employee.employee_id = task.created_by
where task.task_id = $task_id
