-- One row: how far the lake is, and which business days it knows.
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
from ops.ingest_state as ingest_state
