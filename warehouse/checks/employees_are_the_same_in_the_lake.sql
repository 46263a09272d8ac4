-- The lake knows every employee as the event log describes them.
-- asset: marts.employee_versions
with logged as (
    select
        subject::uuid as employee_id,
        sequence,
        fact.external_id,
        fact.name,
        fact.email,
        fact.role,
        fact.is_active,
        position,
    from log_events
    anti join quarantined using (position)
    where type like 'employee.%' and ordinal <= (select through from scope)
),

known as (
    select
        employee_id,
        sequence,
        external_id,
        name,
        email,
        role,
        is_active,
        position,
    from lake.marts.employee_versions
    where position <= (select through from scope)
)

select 'not in the lake' as fault, *
from (select * from logged except all select * from known)
union all
select 'not in the log' as fault, *
from (select * from known except all select * from logged)
