-- One row per payout of $business_date, highest first.
select
    payout.entry_id,
    employee.name,
    payout.amount_cents,
from ledger.payouts as payout
left join marts.employees as employee
    on employee.employee_id = payout.employee_id
where payout.business_date = $business_date
order by payout.amount_cents desc, employee.name, payout.employee_id
