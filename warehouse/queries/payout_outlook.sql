-- The payouts of new_payouts with the employees' names, the largest of each day first.
select
    new_payouts.business_date,
    new_payouts.employee_id,
    employees.name,
    new_payouts.amount_cents,
from new_payouts
left join lake.marts.employees using (employee_id)
order by new_payouts.business_date, new_payouts.amount_cents desc, new_payouts.employee_id
