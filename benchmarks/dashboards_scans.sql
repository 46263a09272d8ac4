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
-- one's own account: every day, and the newest entries
select business_date, kind, sum(amount_cents), count(*), max(occurred_at), max(title)
from lake.ledger.postings
where account = $account
group by business_date, kind
