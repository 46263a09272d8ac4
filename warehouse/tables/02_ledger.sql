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

create table ledger.payouts (
    entry_id uuid not null,
    business_date date not null,
    employee_id uuid not null,
    amount_cents bigint not null
);
comment on table ledger.payouts is 'One row per employee and business day whose balance was positive at its end';

create table ledger.paid_days (
    business_date date not null,
    count_payouts bigint not null,
    payouts_cents bigint not null,
    paid_at timestamptz not null
);
comment on table ledger.paid_days is 'One row per business day whose payouts are made, days without any included';
