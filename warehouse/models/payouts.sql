-- Payouts of the days $first_date..$last_date by the closed form: with S(d) an account's movements
-- up to day d, everything paid up to d is max(0, max over k<=d of S(k)), so the payout of day d is
-- what that running maximum gained. Movements before $first_date (payouts made then included)
-- count as its opening balance. The entry id is UUIDv5 of date and employee.
with movements as (
    select
        account,
        greatest(business_date, $first_date) as business_date,
        sum(fees_cents + rewards_cents + payouts_cents) as amount_cents,
    from ledger.account_days
    where business_date <= $last_date and account not in ('company', 'cash')
    group by account, greatest(business_date, $first_date)
),

sums as (
    select
        account,
        business_date,
        sum(amount_cents) over (partition by account order by business_date) as sum_cents,
    from movements
),

paid as (
    select
        account,
        business_date,
        greatest(0, max(sum_cents) over (partition by account order by business_date))
            as paid_cents,
    from sums
),

payouts as (
    select
        account,
        business_date,
        paid_cents - lag(paid_cents, 1, 0) over (partition by account order by business_date)
            as amount_cents,
    from paid
),

hashed as (
    select
        *,
        sha1(unhex($namespace) || encode(business_date::varchar || '/' || account)) as digest,
    from payouts
    where amount_cents > 0
)

select
    (
        digest[1:12]
        || '5' || digest[14:16]
        || '89ab'[(('0x' || digest[17])::integer & 3) + 1] || digest[18:32]
    )::uuid as entry_id,
    business_date,
    account::uuid as employee_id,
    amount_cents::bigint as amount_cents,
from hashed
