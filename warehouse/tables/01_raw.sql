-- What arrived, as it arrived.
create schema if not exists raw;

create table raw.events (
    position bigint not null,
    event_id uuid not null,
    type varchar not null,
    version smallint not null,
    subject varchar not null,
    sequence integer not null,
    occurred_at timestamptz not null,
    business_date date not null,
    correlation_id uuid not null,
    data varchar not null
);
comment on table raw.events is 'One row per event of the log that could be read. Append only.';
comment on column raw.events.position is 'Place in the event log, from 1 and without gaps';
comment on column raw.events.event_id is 'The event itself (UUIDv7); the same in the log, in Kafka and in the ledger';
comment on column raw.events.type is 'What happened, such as task.assigned';
comment on column raw.events.version is 'Version of the data as it was published';
comment on column raw.events.subject is 'Whom or what it happened to: an employee, a task, or a business date';
comment on column raw.events.sequence is 'Version of the subject that this event made';
comment on column raw.events.occurred_at is 'When it happened, by the clock of the tracker';
comment on column raw.events.business_date is 'Day the event counts for, decided by the tracker';
comment on column raw.events.correlation_id is 'Shared by all events of one user action';
comment on column raw.events.data is 'JSON of the data in its original version; amounts in cents';

create table raw.quarantine (
    quarantine_id uuid not null,
    position bigint,
    claimed_position bigint,
    topic varchar not null,
    partition integer,
    "offset" bigint,
    reason varchar not null,
    detail varchar not null,
    record blob,
    received_at timestamptz not null,
    attempts integer not null,
    attempted_at timestamptz,
    settled_as varchar,
    settled_at timestamptz,
    settled_by varchar,
    settled_because varchar,
    business_date date,
    fee_cents bigint,
    reward_cents bigint
);
comment on table raw.quarantine is 'One row per record that could not be read. Nothing ever leaves: what became of it is written beside it.';
comment on column raw.quarantine.quarantine_id is 'Made from topic, claimed position and content, so a redelivery is known';
comment on column raw.quarantine.position is 'Place in the event log; null until the log itself confirmed that it holds these bytes';
comment on column raw.quarantine.claimed_position is 'Position in the header of the record as it came; worth nothing until confirmed';
comment on column raw.quarantine.topic is 'Kafka topic it came through, without prefix';
comment on column raw.quarantine.partition is 'Partition of that topic; null when it was read from the event log';
comment on column raw.quarantine."offset" is 'Offset in that partition; null when it was read from the event log';
comment on column raw.quarantine.reason is 'no-position, null-value, too-large, not-json, bad-envelope, unknown-type, unknown-version or bad-data';
comment on column raw.quarantine.detail is 'What exactly could not be read, in words';
comment on column raw.quarantine.record is 'The bytes as they came; null for a record without a value';
comment on column raw.quarantine.received_at is 'When it came first';
comment on column raw.quarantine.attempts is 'How often it was read again';
comment on column raw.quarantine.attempted_at is 'When it was last read again; null: never';
comment on column raw.quarantine.settled_as is 'retried: it was read after all and is in raw.events; discarded: somebody decided to do without it; null: neither';
comment on column raw.quarantine.settled_at is 'When it was settled; null: not yet';
comment on column raw.quarantine.settled_by is 'Who discarded it';
comment on column raw.quarantine.settled_because is 'Why it was discarded';
comment on column raw.quarantine.business_date is 'Day of a discarded event, as the event log has it; its amounts stand beside it, so that the certificate of its day can be met';
comment on column raw.quarantine.fee_cents is 'Fee of a discarded event, as the event log has it';
comment on column raw.quarantine.reward_cents is 'Reward of a discarded event, as the event log has it';
