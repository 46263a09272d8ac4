-- One row per business day from $first to $last of $account, days without any entry included:
-- what it held before, how it moved, what it held after.
with
days as (
    select
        business_date,
        sum(fees_cents)::bigint as fees_cents,
        sum(rewards_cents)::bigint as rewards_cents,
        sum(payouts_cents)::bigint as payouts_cents,
        sum(count_entries)::bigint as count_entries,
    from ledger.account_days
    where account = $account and business_date <= $last
    group by business_date
),

openings as (
    select coalesce(sum(fees_cents + rewards_cents + payouts_cents), 0)::bigint as opening_cents
    from days
    where business_date < $first
),

calendar as (
    select unnest(generate_series($first::date, $last::date, interval 1 day))::date as business_date
),

certified as (
    select distinct business_date
    from ledger.certificates
    where business_date between $first and $last
),

filled as (
    select
        calendar.business_date,
        coalesce(days.fees_cents, 0) as fees_cents,
        coalesce(days.rewards_cents, 0) as rewards_cents,
        coalesce(days.payouts_cents, 0) as payouts_cents,
        coalesce(days.count_entries, 0) as count_entries,
        certified.business_date is not null as is_closed,
    from calendar
    left join days on days.business_date = calendar.business_date
    left join certified on certified.business_date = calendar.business_date
),

closed as (
    select
        filled.*,
        (
            openings.opening_cents
            + sum(fees_cents + rewards_cents + payouts_cents) over (order by business_date)
        )::bigint as closing_cents,
    from filled
    cross join openings
)

select
    business_date,
    closing_cents - fees_cents - rewards_cents - payouts_cents as opening_cents,
    fees_cents,
    rewards_cents,
    payouts_cents,
    closing_cents,
    count_entries,
    is_closed,
from closed
order by business_date
