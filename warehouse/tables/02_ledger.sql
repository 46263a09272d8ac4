-- Money. Amounts are integer cents; entries are only ever appended.
create schema if not exists ledger;

create table ledger.postings (
    entry_id uuid not null,
    event_id uuid,
    kind varchar not null,
    account varchar not null,
    amount_cents bigint not null,
    business_date date not null,
    occurred_at timestamptz not null,
    task_id uuid,
    title varchar,
    position bigint
);
comment on table ledger.postings is 'One row per leg of a journal entry; the legs of an entry sum to zero. Append only.';
comment on column ledger.postings.entry_id is 'The event id, or UUIDv5 of date and employee for a payout';
comment on column ledger.postings.event_id is 'Null for payouts, which no event causes';
comment on column ledger.postings.kind is 'fee, reward, payout or reversal';
comment on column ledger.postings.account is 'Employee id, company or cash';
comment on column ledger.postings.amount_cents is 'What the account gains; negative: what it loses';
comment on column ledger.postings.business_date is 'Day the entry counts for';
comment on column ledger.postings.occurred_at is 'When the event happened; for a payout when its day was closed';
comment on column ledger.postings.task_id is 'Task that was charged or rewarded; null for payouts';
comment on column ledger.postings.title is 'Title of the task when it was charged; on the employee leg only';
comment on column ledger.postings.position is 'Position of the event; null for payouts';

create table ledger.account_days (
    account varchar not null,
    business_date date not null,
    fees_cents bigint not null,
    rewards_cents bigint not null,
    payouts_cents bigint not null,
    count_entries bigint not null
);
comment on table ledger.account_days is 'Signed movements per account and day. Several rows per pair: sum them when reading; upkeep folds them.';
comment on column ledger.account_days.account is 'Employee id, company or cash';
comment on column ledger.account_days.business_date is 'Day the movements count for';
comment on column ledger.account_days.fees_cents is 'Sum of fee postings: negative for employees, positive for the company';
comment on column ledger.account_days.rewards_cents is 'Sum of reward postings: positive for employees, negative for the company';
comment on column ledger.account_days.payouts_cents is 'Sum of payout postings: negative for employees, positive for cash';
comment on column ledger.account_days.count_entries is 'Postings behind the sums';

create table ledger.certificates (
    business_date date not null,
    last_position bigint not null,
    count_events bigint not null,
    fees_cents bigint not null,
    rewards_cents bigint not null,
    is_mail_wanted boolean not null,
    position bigint not null,
    closed_at timestamptz not null
);
comment on table ledger.certificates is 'One row per closed business day: what every copy of the log must add up to';
comment on column ledger.certificates.business_date is 'The closed day';
comment on column ledger.certificates.last_position is 'Every event of the day lies at or before this position';
comment on column ledger.certificates.count_events is 'Events of the day, this one left out';
comment on column ledger.certificates.fees_cents is 'Fees charged on the day, a positive sum';
comment on column ledger.certificates.rewards_cents is 'Rewards credited on the day, a positive sum';
comment on column ledger.certificates.is_mail_wanted is 'Whether employees are told of the payouts of the day';
comment on column ledger.certificates.position is 'Place of the certificate itself in the event log';
comment on column ledger.certificates.closed_at is 'When the tracker closed the day';

create table ledger.payouts (
    entry_id uuid not null,
    business_date date not null,
    employee_id uuid not null,
    amount_cents bigint not null
);
comment on table ledger.payouts is 'One row per employee and business day whose balance was positive at its end';
comment on column ledger.payouts.entry_id is 'UUIDv5 of date and employee: a second one would have the same; names the entry';
comment on column ledger.payouts.business_date is 'Day at whose end it was due';
comment on column ledger.payouts.employee_id is 'Who is paid';
comment on column ledger.payouts.amount_cents is 'The whole balance at the end of the day, always positive';

create table ledger.paid_days (
    business_date date not null,
    count_payouts bigint not null,
    payouts_cents bigint not null,
    paid_at timestamptz not null
);
comment on table ledger.paid_days is 'One row per business day whose payouts are made, days without any included';
comment on column ledger.paid_days.business_date is 'The paid day';
comment on column ledger.paid_days.count_payouts is 'Employees who were paid';
comment on column ledger.paid_days.payouts_cents is 'Sum of what they were paid';
comment on column ledger.paid_days.paid_at is 'When the payouts were made';
