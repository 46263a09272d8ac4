-- How far we are. Exactly one row each; every writing transaction updates its row first, which is
-- what stops a rival (DuckLake has no unique keys).
create schema if not exists ops;

create table ops.ingest_state (
    epoch bigint not null,
    contiguous_position bigint not null,
    last_position bigint not null,
    committed_at timestamptz not null,
    partitions struct(topic varchar, partition integer, next_offset bigint, last_position bigint)[]
);
comment on table ops.ingest_state is 'One row: how far ingest has come';
comment on column ops.ingest_state.epoch is 'Raised by every ingest transaction';
comment on column ops.ingest_state.contiguous_position is 'Every position up to here has arrived';
comment on column ops.ingest_state.last_position is 'Highest position that has arrived';
comment on column ops.ingest_state.committed_at is 'When the last transaction of ingest committed';
comment on column ops.ingest_state.partitions is 'Of every partition the offset that is read next, and the last position it brought';
insert into ops.ingest_state values (0, 0, 0, 'epoch'::timestamptz, []);

create table ops.payout_state (
    epoch bigint not null,
    paid_through date
);
comment on table ops.payout_state is 'One row: how far payouts have come';
comment on column ops.payout_state.epoch is 'Raised by every payout transaction';
comment on column ops.payout_state.paid_through is 'Newest business day whose payouts are made';
insert into ops.payout_state values (0, null);

create view ops.lake_state as
select
    ingest_state.contiguous_position,
    ingest_state.last_position,
    ingest_state.committed_at,
    least(
        (select min(business_date) from marts.company_days),
        (select min(business_date) from ledger.certificates)
    ) as first_date,
    (select max(business_date) from ledger.certificates) as closed_through,
    (select max(business_date) from ledger.paid_days) as paid_through,
from ops.ingest_state as ingest_state;
comment on view ops.lake_state is 'One row: how far the lake is, and which business days it knows';
-- column ops.lake_state.contiguous_position: Every position up to here has arrived
-- column ops.lake_state.last_position: Highest position that has arrived
-- column ops.lake_state.committed_at: When ingest committed last
-- column ops.lake_state.first_date: First day with an entry or a certificate; null without one
-- column ops.lake_state.closed_through: Newest certified day; null without one
-- column ops.lake_state.paid_through: Newest day whose payouts are made; null without one
