select
    postings.account::uuid as employee_id,
    any_value(employees.name) as name,
    postings.business_date,
    count(*) filter (kind = 'fee') as count_assigned,
    count(*) filter (kind = 'reward') as count_completed,
    coalesce(-sum(amount_cents) filter (kind = 'fee'), 0)::bigint as fees_cents,
    coalesce(sum(amount_cents) filter (kind = 'reward'), 0)::bigint as rewards_cents,
    sum(amount_cents)::bigint as net_cents,
from ledger.postings as postings
left join marts.employees as employees on employees.employee_id::varchar = postings.account
where kind in ('fee', 'reward') and account <> 'company'
group by postings.account, postings.business_date
