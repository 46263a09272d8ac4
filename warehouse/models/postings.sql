-- One journal entry per assignment (fee) and per completion (reward), two legs each.
-- The title stands on the employee's leg only, where the audit log reads it.
with entries as (
    select
        event_id as entry_id,
        event_id,
        case type when 'task.assigned' then 'fee' else 'reward' end as kind,
        person_id,
        case type when 'task.assigned' then -fee_cents else reward_cents end as amount_cents,
        business_date,
        occurred_at,
        task_id,
        title,
        position,
    from events
    where type in ('task.assigned', 'task.completed')
),

employee_legs as (
    select
        entry_id,
        event_id,
        kind,
        person_id::varchar as account,
        amount_cents,
        business_date,
        occurred_at,
        task_id,
        title,
        position,
    from entries
),

company_legs as (
    select
        entry_id,
        event_id,
        kind,
        'company' as account,
        -amount_cents as amount_cents,
        business_date,
        occurred_at,
        task_id,
        null::varchar as title,
        position,
    from entries
)

select * from employee_legs
union all
select * from company_legs
