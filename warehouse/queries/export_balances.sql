-- One row per employee, also without any posting.
select
    employee.employee_id,
    employee.external_id,
    employee.name,
    coalesce(balance.balance_cents, 0) as balance_cents,
from lake.marts.employees as employee
left join lake.marts.balances as balance on balance.account = employee.employee_id::varchar
order by employee.name, employee.employee_id
