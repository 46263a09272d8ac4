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
comment on column raw.events.version is 'Version of the data as it was published';
comment on column raw.events.sequence is 'Version of the subject that this event made';
comment on column raw.events.business_date is 'Day the event counts for, decided by the tracker';
comment on column raw.events.correlation_id is 'Shared by all events of one user action';
comment on column raw.events.data is 'JSON of the data in its original version; amounts in cents';

create table raw.quarantine (
    quarantine_id uuid not null,
    position bigint,
    topic varchar not null,
    partition integer,
    "offset" bigint,
    reason varchar not null,
    detail varchar not null,
    record blob,
    received_at timestamptz not null
);
comment on table raw.quarantine is 'One row per record that could not be read, kept for a re-drive';
comment on column raw.quarantine.quarantine_id is 'Made from topic, claimed position and content, so a redelivery is known';
comment on column raw.quarantine.position is 'Place in the event log; null until the log itself confirmed that it holds these bytes';
comment on column raw.quarantine.reason is 'no-position, null-value, too-large, not-json, bad-envelope, unknown-type, unknown-version or bad-data';
comment on column raw.quarantine.record is 'The bytes as they came; null for a record without a value';
