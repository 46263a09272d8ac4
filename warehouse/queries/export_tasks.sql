-- One row per task as the tracker has it now.
select
    task_id,
    external_id,
    title,
    jira_id,
    status,
    assignee_id,
    fee_cents,
    reward_cents,
    created_at,
    completed_at,
from tracker.public.tasks
order by created_at, task_id
