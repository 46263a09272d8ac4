-- Every employee in the tracker is what the newest event says: name, address, role, activity,
-- version (employees without a quarantined event).
-- asset: tracker.event_log
with folded as (
    select
        subject::uuid as employee_id,
        sequence as version,
        fact.external_id,
        fact.name,
        fact.email,
        fact.role,
        fact.is_active,
    from log_events
    anti join quarantined using (subject)
    where type like 'employee.%'
    qualify row_number() over (partition by subject order by sequence desc) = 1
),

stored as (
    select
        employee_id,
        version,
        external_id,
        name,
        email,
        role,
        is_active,
    from tracker.public.employees
    where employee_id::varchar not in (select coalesce(subject, '') from quarantined)
)

select 'stored, but not by its events' as fault, *
from (select * from stored except all select * from folded)
union all
select 'by its events, but not stored' as fault, *
from (select * from folded except all select * from stored)
