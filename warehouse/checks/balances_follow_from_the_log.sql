-- Every balance is rewards minus fees of the tracker's own log, minus the payouts.
-- asset: marts.balances
with movements as (
    select
        person_id::varchar as account,
        reward_cents - fee_cents as amount_cents,
    from log_events
    anti join quarantined using (position)
    where type in ('task.assigned', 'task.completed') and ordinal <= (select through from scope)
    union all
    select
        account,
        amount_cents,
    from lake.ledger.postings
    where position > (select through from scope) and account <> 'company'
    union all
    select employee_id::varchar as account, -amount_cents as amount_cents
    from lake.ledger.payouts
),

expected as (
    select account, sum(amount_cents)::bigint as balance_cents
    from movements
    group by account
),

found as (
    select account, balance_cents
    from lake.marts.balances
    where account not in ('company', 'cash')
)

select
    account,
    expected.balance_cents as expected_cents,
    found.balance_cents as found_cents,
from expected
full join found using (account)
where expected.balance_cents is distinct from found.balance_cents
