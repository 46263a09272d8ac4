-- What the page Analytics shows, by scanning: earnings per day
select business_date, sum(amount_cents) filter (kind <> 'payout')
from lake.ledger.postings
where account = 'company'
group by business_date;
-- who is below zero, now and today
select
    account,
    sum(amount_cents) as balance_cents,
    sum(amount_cents) filter (business_date = $today and kind <> 'payout') as net_cents,
from lake.ledger.postings
where account not in ('company', 'cash')
group by account
having balance_cents < 0 or net_cents < 0;
-- the dearest task of each day of the month
select business_date, arg_max(task_id, amount_cents), max(amount_cents)
from lake.ledger.postings
where kind = 'reward' and amount_cents > 0
    and business_date between date_trunc('month', $today::date)::date and $today
group by business_date;
-- what happened to tasks per day
select business_date, type, count(*)
from lake.raw.events
where type like 'task.%'
group by business_date, type;
-- how long completed tasks took, how often they were assigned, and which are open
select
    count(*) filter (completed_at is null) as count_open,
    avg(epoch(completed_at - created_at)),
    avg(count_assignments),
from (
    select
        max(occurred_at) filter (type = 'task.created') as created_at,
        max(occurred_at) filter (type = 'task.completed') as completed_at,
        count(*) filter (type = 'task.assigned') as count_assignments,
    from lake.raw.events
    where type like 'task.%'
    group by subject
);
-- Company: each day's fees, rewards and payouts
select
    business_date,
    sum(amount_cents) filter (account = 'company' and kind = 'fee'),
    sum(amount_cents) filter (account = 'company' and kind = 'reward'),
    sum(amount_cents) filter (account = 'cash'),
from lake.ledger.postings
where account in ('company', 'cash')
group by business_date;
-- every employee's balance
select employee.employee_id, employee.name, employee.role, sum(posting.amount_cents)
from lake.marts.employees as employee
left join lake.ledger.postings as posting on posting.account = employee.employee_id::varchar
group by all;
-- one day beside its certificate: events, fees, rewards
select
    any_value(certificate.count_events),
    any_value(certificate.fees_cents),
    any_value(certificate.rewards_cents),
    count(*),
    sum((data->>'fee_cents')::bigint) filter (type = 'task.assigned'),
    sum((data->>'reward_cents')::bigint) filter (type = 'task.completed'),
from lake.raw.events as event
inner join lake.ledger.certificates as certificate using (business_date)
where event.business_date = $day and event.type <> 'business_day.closed';
-- who was paid for it
select posting.entry_id, employee.employee_id, employee.name, posting.amount_cents
from lake.ledger.postings as posting
inner join lake.marts.employees as employee on employee.employee_id::varchar = posting.account
where posting.business_date = $day and posting.kind = 'payout';
-- and its newest entries
select posting.*, employee.name, task.jira_id, count(*) over ()
from lake.ledger.postings as posting
inner join lake.marts.employees as employee on employee.employee_id::varchar = posting.account
left join lake.marts.tasks_created as task on task.task_id = posting.task_id
where posting.business_date = $day and posting.kind <> 'payout'
order by posting.occurred_at desc
limit 50;
-- One's own account: every day, payouts among them
select business_date, kind, sum(amount_cents), count(*)
from lake.ledger.postings
where account = $account
group by business_date, kind;
-- and the newest entries with the balance after each
select posting.*, task.jira_id
from (
    select
        *,
        sum(amount_cents) over (order by occurred_at, position rows unbounded preceding)
            as balance_cents,
    from lake.ledger.postings
    where account = $account
    order by occurred_at desc
    limit 50
) as posting
left join lake.marts.tasks_created as task on task.task_id = posting.task_id
