-- One row per payout whose employee is to be told; written once, then only its state moves.
create schema if not exists mail;

create table if not exists mail.deliveries (
    delivery_id uuid primary key,          -- the payout's entry_id
    business_date date not null,           -- day that was paid
    employee_id uuid not null,             -- who was paid
    email text,                            -- where it went or will go; null: no address
    name text not null,                    -- the employee's, as in the mail
    amount_cents bigint not null,          -- the payout, in cents
    message_id text not null unique,       -- fixed, so that a second copy can be recognised
    state text not null default 'pending', -- pending, sending, sent, or blocked until somebody acts
    attempts integer not null default 0,   -- times a sender has taken it up
    next_attempt_at timestamptz not null,  -- when it is due, unless somebody has it
    claimed_until timestamptz,             -- a sender that died loses the row at this time
    sent_at timestamptz,                   -- when the mail server took it
    last_error text,                       -- why the last attempt failed
    planned_at timestamptz not null,       -- when the payout was seen
    check (amount_cents > 0),
    check (state in ('pending', 'sending', 'sent', 'blocked')),
    check (attempts >= 0),
    unique (business_date, employee_id),
    check ((state = 'sending') = (claimed_until is not null)),
    check ((state = 'sent') = (sent_at is not null)),
    check (state <> 'sent' or email is not null),
    check (state <> 'blocked' or last_error is not null)
);

-- What is due, in the order in which it became due; the rows already sent are not in it.
create index if not exists deliveries_due
    on mail.deliveries ((coalesce(claimed_until, next_attempt_at)), business_date, delivery_id)
    where state <> 'sent';

-- Every paid day up to this date has its deliveries. Emptied, all paid days are looked at again.
create table if not exists mail.planning (
    only_row boolean primary key default true check (only_row),
    planned_through date
);
insert into mail.planning default values on conflict do nothing;

-- What is wrong, or was: one row a trouble. At most one of a key is open.
create table if not exists mail.incidents (
    incident_id uuid primary key default gen_random_uuid(),
    key text not null,                     -- a kind and what it is about, e.g. run_failed:pay_due_days
    kind text not null,
    summary text not null,                 -- as it was last seen
    opened_at timestamptz not null,
    seen_at timestamptz not null,          -- when it was last wrong
    fine_since timestamptz,                -- null while it is wrong
    resolved_at timestamptz,
    check (resolved_at is null or fine_since is not null)
);
create unique index if not exists incidents_open on mail.incidents (key) where resolved_at is null;

-- One mail per incident, moment and reader, written together with the incident's change.
create table if not exists mail.alerts (
    alert_id uuid primary key default gen_random_uuid(),
    incident_id uuid not null references mail.incidents on delete cascade,
    moment text not null check (moment in ('opened', 'resolved')),
    email text not null,
    attempts integer not null default 0 check (attempts >= 0),
    next_attempt_at timestamptz not null,
    claimed_until timestamptz,
    sent_at timestamptz,
    last_error text,
    planned_at timestamptz not null,
    unique (incident_id, moment, email)
);
create index if not exists alerts_due on mail.alerts (planned_at) where sent_at is null;
