-- One row: how far the lake is, and which business days it knows.
select
    contiguous_position,
    last_position,
    committed_at,
    first_date,
    closed_through,
    paid_through,
from ops.lake_state
