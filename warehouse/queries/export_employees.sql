-- One row per employee as the tracker has them now.
select
    employee_id,
    external_id,
    name,
    email,
    role,
    is_active,
from tracker.public.employees
order by name, employee_id
