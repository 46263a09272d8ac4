-- One row per payout of $entry_ids (paid for days $first_date to $last_date): the employee as
-- known now, the balance before the day, the day's sums, and its first $entries_max entries.
with payouts as (
    select
        entry_id,
        business_date,
        employee_id,
        amount_cents,
        employee_id::varchar as account,
    from lake.ledger.payouts
    where business_date between $first_date and $last_date
        and entry_id in (select unnest($entry_ids::uuid[]))
),

openings as (
    select
        payouts.entry_id,
        sum(day.fees_cents + day.rewards_cents + day.payouts_cents)::bigint as opening_cents,
    from payouts
    inner join lake.ledger.account_days as day
        on day.account = payouts.account and day.business_date < payouts.business_date
    group by payouts.entry_id
),

numbered as (
    select
        payouts.entry_id,
        posting.kind,
        posting.amount_cents,
        posting.occurred_at,
        posting.title,
        row_number() over (
            partition by payouts.entry_id
            order by posting.occurred_at, posting.position, posting.entry_id
        ) as number,
    from payouts
    inner join lake.ledger.postings as posting
        on posting.account = payouts.account and posting.business_date = payouts.business_date
    where posting.business_date between $first_date and $last_date
        and posting.kind <> 'payout'
),

days as (
    select
        entry_id,
        count(*) filter (kind = 'fee') as count_fees,
        coalesce(sum(amount_cents) filter (kind = 'fee'), 0)::bigint as fees_cents,
        count(*) filter (kind = 'reward') as count_rewards,
        coalesce(sum(amount_cents) filter (kind = 'reward'), 0)::bigint as rewards_cents,
        count(*) filter (kind = 'reversal') as count_reversals,
        coalesce(sum(amount_cents) filter (kind = 'reversal'), 0)::bigint as reversals_cents,
        list(
            {
                'occurred_at': occurred_at,
                'kind': kind,
                'amount_cents': amount_cents,
                'title': coalesce(title, ''),
            }
            order by number
        ) filter (number <= $entries_max) as entries,
    from numbered
    group by entry_id
)

select
    payouts.entry_id,
    payouts.business_date,
    payouts.amount_cents,
    nullif(employee.email, '') as email,
    coalesce(employee.name, '') as name,
    coalesce(openings.opening_cents, 0) as opening_cents,
    coalesce(days.count_fees, 0) as count_fees,
    coalesce(days.fees_cents, 0) as fees_cents,
    coalesce(days.count_rewards, 0) as count_rewards,
    coalesce(days.rewards_cents, 0) as rewards_cents,
    coalesce(days.count_reversals, 0) as count_reversals,
    coalesce(days.reversals_cents, 0) as reversals_cents,
    days.entries,
from payouts
left join openings on openings.entry_id = payouts.entry_id
left join days on days.entry_id = payouts.entry_id
left join lake.marts.employees as employee on employee.employee_id = payouts.employee_id
