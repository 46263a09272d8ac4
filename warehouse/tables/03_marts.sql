-- What people look at.
create schema if not exists marts;

create table marts.employee_versions (
    employee_id uuid not null,
    sequence integer not null,
    external_id varchar,
    name varchar not null,
    email varchar not null,
    role varchar not null,
    is_active boolean not null,
    position bigint not null
);
comment on table marts.employee_versions is 'One row per state an employee was in. Append only.';

create table marts.tasks_created (
    task_id uuid not null,
    external_id varchar,
    title varchar not null,
    jira_id varchar,
    fee_cents bigint not null,
    reward_cents bigint not null,
    created_by uuid not null,
    created_at timestamptz not null,
    business_date date not null,
    position bigint not null
);
comment on table marts.tasks_created is 'One row per task, as it was created. Append only.';

create table marts.dearest_tasks (
    business_date date not null,
    task_id uuid not null,
    title varchar not null,
    reward_cents bigint not null,
    completed_at timestamptz not null,
    position bigint not null
);
comment on table marts.dearest_tasks is 'Candidates for the dearest task of a day, one per batch and day: take the highest reward, then the earliest, then the lowest id; upkeep folds them';

create view marts.employees as
select
    employee_id,
    external_id,
    name,
    email,
    role,
    is_active,
    sequence,
    position,
from marts.employee_versions
qualify row_number() over (partition by employee_id order by sequence desc) = 1;
comment on view marts.employees is 'One row per employee: the newest state';

create view marts.balances as
select
    account,
    sum(fees_cents + rewards_cents + payouts_cents)::bigint as balance_cents,
from ledger.account_days
group by account;
comment on view marts.balances is 'One row per account: the sum of all its postings';

create view marts.company_days as
select
    business_date,
    coalesce(sum(fees_cents) filter (account = 'company'), 0)::bigint as fees_cents,
    coalesce(-sum(rewards_cents) filter (account = 'company'), 0)::bigint as rewards_cents,
    coalesce(sum(fees_cents + rewards_cents) filter (account = 'company'), 0)::bigint
        as earnings_cents,
    coalesce(sum(payouts_cents) filter (account = 'cash'), 0)::bigint as payouts_cents,
from ledger.account_days
where account in ('company', 'cash')
group by business_date;
comment on view marts.company_days is 'One row per business day: fees charged, rewards credited (both positive), earnings = fees - rewards, and what was paid out';
