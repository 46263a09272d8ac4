-- One row per payout of $employee_id for the days $first to $last, newest first.
select
    entry_id,
    business_date,
    amount_cents,
from ledger.payouts
where employee_id = $employee_id and business_date between $first and $last
order by business_date desc
