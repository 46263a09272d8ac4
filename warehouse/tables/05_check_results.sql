-- What the checks found, kept for the people who look after the lake.
create table ops.check_results (
    name varchar not null,
    statement varchar not null,
    count_offending bigint not null,
    sample varchar,
    checked_at timestamptz not null,
    checked_by varchar not null
);
comment on table ops.check_results is 'One row per check and run of it, for a month; the newest row of a name is its last result';
comment on column ops.check_results.name is 'Name of the check';
comment on column ops.check_results.statement is 'The invariant in words';
comment on column ops.check_results.count_offending is 'Rows that break it; 0 when it holds';
comment on column ops.check_results.sample is 'One of those rows, for reading; null when it holds';
comment on column ops.check_results.checked_at is 'When it was run';
comment on column ops.check_results.checked_by is 'verify (the command) or dagster';
