-- The journal entries of the new payouts: employee to cash, at the instant the day was closed.
with entries as (
    select
        new_payouts.entry_id,
        new_payouts.business_date,
        new_payouts.employee_id,
        new_payouts.amount_cents,
        certificates.closed_at,
    from new_payouts
    join ledger.certificates using (business_date)
)

select
    entry_id,
    null::uuid as event_id,
    'payout' as kind,
    employee_id::varchar as account,
    -amount_cents as amount_cents,
    business_date,
    closed_at as occurred_at,
    null::uuid as task_id,
    null::varchar as title,
    null::bigint as position,
from entries
union all
select
    entry_id,
    null::uuid as event_id,
    'payout' as kind,
    'cash' as account,
    amount_cents,
    business_date,
    closed_at as occurred_at,
    null::uuid as task_id,
    null::varchar as title,
    null::bigint as position,
from entries
