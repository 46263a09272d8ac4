-- What people look at.
-- DuckLake knows no comments on columns of views: they stand here as `-- column`, for the catalog.
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
comment on column marts.employee_versions.employee_id is 'The employee';
comment on column marts.employee_versions.sequence is 'Number of the state, from 1';
comment on column marts.employee_versions.external_id is 'Name in an imported log; null for people added in the tracker';
comment on column marts.employee_versions.name is 'Name as it was then';
comment on column marts.employee_versions.email is 'Address as it was then';
comment on column marts.employee_versions.role is 'worker, manager, accountant or admin';
comment on column marts.employee_versions.is_active is 'False once the employee has left';
comment on column marts.employee_versions.position is 'Position of the event that made this state';

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
comment on column marts.tasks_created.task_id is 'The task';
comment on column marts.tasks_created.external_id is 'Name in an imported log; null for tasks made in the tracker';
comment on column marts.tasks_created.title is 'Title without its Jira id';
comment on column marts.tasks_created.jira_id is 'Such as POPUG-123; null when it has none';
comment on column marts.tasks_created.fee_cents is 'What every assignment of it costs its assignee';
comment on column marts.tasks_created.reward_cents is 'What completing it earns';
comment on column marts.tasks_created.created_by is 'Employee who created it';
comment on column marts.tasks_created.created_at is 'When it was created';
comment on column marts.tasks_created.business_date is 'Day of its creation';
comment on column marts.tasks_created.position is 'Position of the event that created it';

create table marts.dearest_tasks (
    business_date date not null,
    task_id uuid not null,
    title varchar not null,
    reward_cents bigint not null,
    completed_at timestamptz not null,
    position bigint not null
);
comment on table marts.dearest_tasks is 'Candidates for the dearest task of a day, one per batch and day: take the highest reward, then the earliest, then the lowest id; upkeep folds them';
comment on column marts.dearest_tasks.business_date is 'Day of completion';
comment on column marts.dearest_tasks.task_id is 'The task';
comment on column marts.dearest_tasks.title is 'Title when it was completed';
comment on column marts.dearest_tasks.reward_cents is 'What it earned';
comment on column marts.dearest_tasks.completed_at is 'When it was completed';
comment on column marts.dearest_tasks.position is 'Position of its completion';

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
-- columns marts.employees: as marts.employee_versions

create view marts.balances as
select
    account,
    sum(fees_cents + rewards_cents + payouts_cents)::bigint as balance_cents,
    sum(count_entries)::bigint as count_entries,
from ledger.account_days
group by account;
comment on view marts.balances is 'One row per account: the sum of all its postings, and their number';
-- column marts.balances.account: Employee id, company or cash
-- column marts.balances.balance_cents: What it holds now; negative: a debt
-- column marts.balances.count_entries: How many entries moved it

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
-- column marts.company_days.business_date: The day
-- column marts.company_days.fees_cents: Fees charged, a positive sum
-- column marts.company_days.rewards_cents: Rewards credited, a positive sum
-- column marts.company_days.earnings_cents: Fees less rewards; negative: the company lost
-- column marts.company_days.payouts_cents: Paid out to employees, a positive sum; no part of earnings
