-- One row per employee, lowest balance first; the debt and the number of debtors on every row.
with
balances as (
    select
        employee.employee_id::varchar as account,
        employee.name,
        employee.role,
        employee.is_active,
        coalesce(balance.balance_cents, 0) as balance_cents,
    from marts.employees as employee
    left join marts.balances as balance
        on balance.account = employee.employee_id::varchar
)

select
    *,
    count(*) filter (balance_cents < 0) over () as count_below_zero,
    coalesce(sum(balance_cents) filter (balance_cents < 0) over (), 0)::bigint as below_zero_cents,
from balances
order by balance_cents, name, account
