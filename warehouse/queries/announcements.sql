-- One row per payout of a day paid after $after whose certificate wants mail.
-- A paid day without such a payout gives one row with nulls, so that it counts as looked at.
select
    paid.business_date,
    payout.entry_id,
    payout.employee_id,
    payout.amount_cents,
    employee.email,
    employee.name,
from lake.ledger.paid_days as paid
inner join lake.ledger.certificates as certificate
    on certificate.business_date = paid.business_date
left join lake.ledger.payouts as payout
    on payout.business_date = paid.business_date and certificate.is_mail_wanted
left join lake.marts.employees as employee
    on employee.employee_id = payout.employee_id
where paid.business_date > $after
order by paid.business_date, payout.entry_id
