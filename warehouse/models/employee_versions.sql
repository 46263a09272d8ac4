-- One row per employee event.
select
    employee_id::uuid as employee_id,
    sequence,
    external_id,
    name,
    email,
    role,
    is_active,
    position,
from judged_employees
