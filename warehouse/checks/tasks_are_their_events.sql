-- Every task in the tracker is what its events say: assignee, prices, number of assignments, state,
-- version (tasks without a quarantined event).
-- asset: tracker.event_log
with folded as (
    select
        subject::uuid as task_id,
        arg_max(person_id, sequence) filter (type = 'task.assigned') as assignee_id,
        any_value(fact.fee_cents) filter (type = 'task.created') as fee_cents,
        any_value(fact.reward_cents) filter (type = 'task.created') as reward_cents,
        any_value(fact.external_id) filter (type = 'task.created') as external_id,
        any_value(fact.created_by) filter (type = 'task.created') as created_by,
        any_value(occurred_at) filter (type = 'task.created') as created_at,
        count(*) filter (type = 'task.assigned') as assignment_number,
        if(bool_or(type = 'task.completed'), 'done', 'open') as status,
        any_value(occurred_at) filter (type = 'task.completed') as completed_at,
        max(sequence) as version,
    from log_events
    anti join quarantined using (subject)
    where type like 'task.%'
    group by subject
),

stored as (
    select
        task_id,
        assignee_id,
        fee_cents,
        reward_cents,
        external_id,
        created_by,
        created_at,
        assignment_number,
        status,
        completed_at,
        version,
    from tracker.public.tasks
    where task_id::varchar not in (select coalesce(subject, '') from quarantined)
)

select 'stored, but not by its events' as fault, *
from (select * from stored except all select * from folded)
union all
select 'by its events, but not stored' as fault, *
from (select * from folded except all select * from stored)
