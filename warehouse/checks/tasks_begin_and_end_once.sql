-- A task is created first and once, assigned at once, completed at most once, by its assignee, and
-- nothing follows (tasks without a quarantined event).
-- asset: raw.events
with steps as (
    select
        position,
        task_id,
        type,
        person_id,
        row_number() over history as step,
        lag(type) over history as type_before,
        last_value(if(type = 'task.assigned', person_id, null) ignore nulls) over history
            as assignee_id,
    from lake_events
    anti join quarantined using (subject)
    where type like 'task.%'
    window history as (partition by task_id order by position)
)

select *
from steps
where (type = 'task.created') <> (step = 1)
    or (type = 'task.assigned') is distinct from (type_before = 'task.created') and step = 2
    or type_before = 'task.completed'
    or (type = 'task.completed' and person_id is distinct from assignee_id)
