-- The oldest part of the event log, after its days are certified and paid.
create table raw.event_log_archive (
    position bigint not null,
    event_id uuid not null,
    type varchar not null,
    version smallint not null,
    topic varchar not null,
    subject varchar not null,
    sequence integer not null,
    occurred_at timestamptz not null,
    business_date date not null,
    correlation_id uuid not null,
    fee_cents bigint not null,
    reward_cents bigint not null,
    employee_id uuid,
    body varchar not null,
    recorded_at timestamptz not null,
    archived_with date not null
);
comment on table raw.event_log_archive is 'One row per event of an archived day, column by column as the event log had it. The log may have let go of it: then this is the only copy. Append only.';
comment on column raw.event_log_archive.position is 'Place in the event log, from 1 and without gaps';
comment on column raw.event_log_archive.event_id is 'The event itself (UUIDv7)';
comment on column raw.event_log_archive.type is 'What happened, such as task.assigned';
comment on column raw.event_log_archive.version is 'Version of the data as it was published';
comment on column raw.event_log_archive.topic is 'Kafka topic, without prefix';
comment on column raw.event_log_archive.subject is 'Whom or what it happened to: an employee, a task, or a business date';
comment on column raw.event_log_archive.sequence is 'Version of the subject that this event made';
comment on column raw.event_log_archive.occurred_at is 'When it happened, by the clock of the tracker';
comment on column raw.event_log_archive.business_date is 'Day the event counts for';
comment on column raw.event_log_archive.correlation_id is 'Shared by all events of one user action';
comment on column raw.event_log_archive.fee_cents is 'Fee of an assignment, else 0';
comment on column raw.event_log_archive.reward_cents is 'Reward of a completion, else 0';
comment on column raw.event_log_archive.employee_id is 'Whose account the event moves; null when it moves none';
comment on column raw.event_log_archive.body is 'The event as it was published, character by character';
comment on column raw.event_log_archive.recorded_at is 'When it got its position';
comment on column raw.event_log_archive.archived_with is 'Business day up to whose certificate the stretch of the log goes that this row came with; an event of a later day may lie before it';

create table ops.archived_days (
    business_date date not null,
    first_position bigint not null,
    last_position bigint not null,
    count_events bigint not null,
    sha256 varchar not null,
    copied_at timestamptz not null
);
comment on table ops.archived_days is 'One row per archived business day: what the rows of raw.event_log_archive that came with it must be';
comment on column ops.archived_days.business_date is 'The archived day';
comment on column ops.archived_days.first_position is 'Position after the certificate of the day before';
comment on column ops.archived_days.last_position is 'Position of the certificate of the day; the next day begins after it';
comment on column ops.archived_days.count_events is 'Rows from the one position to the other';
comment on column ops.archived_days.sha256 is 'SHA-256 of the hexadecimal SHA-256 of every row in the order of positions; a row is its columns as text with | between them, times as microseconds since 1970, null as nothing, the body last';
comment on column ops.archived_days.copied_at is 'When it was copied';

create table ops.archive_state (
    epoch bigint not null,
    last_position bigint not null
);
comment on table ops.archive_state is 'One row: how far the event log is archived';
comment on column ops.archive_state.epoch is 'Raised by every day that is archived';
comment on column ops.archive_state.last_position is 'The archive has every position up to here';
insert into ops.archive_state values (0, 0);

create view ops.archived_day_digests as
select
    archived_with as business_date,
    min(position) as first_position,
    max(position) as last_position,
    count(*) as count_events,
    sha256(
        string_agg(
            sha256(
                concat_ws(
                    '|',
                    position,
                    event_id,
                    type,
                    version,
                    topic,
                    subject,
                    sequence,
                    epoch_us(occurred_at),
                    business_date,
                    correlation_id,
                    fee_cents,
                    reward_cents,
                    coalesce(employee_id::varchar, ''),
                    epoch_us(recorded_at),
                    body
                )
            ),
            ''
            order by position
        )
    ) as sha256,
from raw.event_log_archive
group by archived_with;
comment on view ops.archived_day_digests is 'One row per day in raw.event_log_archive: what ops.archived_days must say of it';
-- columns ops.archived_day_digests: as ops.archived_days
