-- One row per created task.
select
    task_id,
    external_id,
    title,
    jira_id,
    fee_cents,
    reward_cents,
    person_id as created_by,
    occurred_at as created_at,
    business_date,
    position,
from events
where type = 'task.created'
