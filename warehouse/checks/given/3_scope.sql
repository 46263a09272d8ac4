-- One row: how far the two sides can be compared. When nothing is in flight, that is everything.
create temp table scope as
select
    state.contiguous_position as through,
    state.last_position,
    head.last_position as head,
    (select count(*) from tracker.public.outbox) as count_waiting,
    (select max(business_date) from tracker.public.business_days) as closed_through,
    paid.paid_through,
    planned.planned_through,
from lake.ops.ingest_state as state
cross join lake.ops.payout_state as paid
cross join tracker.public.log_head as head
cross join planning as planned
