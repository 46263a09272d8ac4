-- One row: what the company earned on $today and the day before, who is below zero now, and whose
-- fees outweigh the rewards on $today.
with moved as (
    select
        account,
        coalesce(sum(fees_cents) filter (business_date = $today), 0)::bigint as fees_cents,
        coalesce(sum(rewards_cents) filter (business_date = $today), 0)::bigint as rewards_cents,
        coalesce(sum(fees_cents + rewards_cents) filter (business_date < $today), 0)::bigint
            as yesterday_cents,
    from ledger.account_days
    where business_date between $today::date - 1 and $today::date
    group by account
),

people as (
    select
        account,
        balance.balance_cents,
        coalesce(moved.fees_cents + moved.rewards_cents, 0) as net_cents,
        employee.name,
        employee.role,
        employee.is_active,
    from marts.balances as balance
    left join moved using (account)
    left join marts.employees as employee on employee.employee_id::varchar = account
    where account not in ('company', 'cash') and (balance_cents < 0 or net_cents < 0)
),

company as (
    select
        coalesce(sum(fees_cents), 0)::bigint as fees_cents,
        coalesce(-sum(rewards_cents), 0)::bigint as rewards_cents,
        coalesce(sum(fees_cents + rewards_cents), 0)::bigint as earnings_cents,
        coalesce(sum(yesterday_cents), 0)::bigint as yesterday_cents,
    from moved
    where account = 'company'
)

select
    company.*,
    count(*) filter (balance_cents < 0) as count_below_zero,
    coalesce(sum(balance_cents) filter (balance_cents < 0), 0)::bigint as below_zero_cents,
    count(*) filter (net_cents < 0) as count_net_below_zero,
    coalesce(sum(net_cents) filter (net_cents < 0), 0)::bigint as net_below_zero_cents,
    coalesce(
        list(
            {
                'employee_id': account::uuid,
                'name': name,
                'role': role,
                'is_active': coalesce(is_active, true),
                'balance_cents': balance_cents,
                'net_cents': net_cents,
            }
            order by balance_cents, net_cents, name, account
        ) filter (account is not null),
        []
    ) as people,
from company
left join people on true
group by all
