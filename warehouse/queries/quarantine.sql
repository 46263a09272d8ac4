-- One row per quarantined record, newest first, with what has become of it so far.
select
    quarantine_id,
    case
        when settled_as is not null then settled_as
        when position is not null then 'waiting'
        when claimed_position <= state.contiguous_position then 'healed'
        else 'unconfirmed'
    end as state,
    position,
    claimed_position,
    topic,
    partition,
    "offset",
    reason,
    detail,
    record,
    received_at,
    attempts,
    attempted_at,
    settled_at,
    settled_by,
    settled_because,
    quarantine.business_date,
    fee_cents,
    reward_cents,
from lake.raw.quarantine as quarantine
cross join lake.ops.ingest_state as state
where starts_with(quarantine_id::varchar, $prefix)
order by received_at desc, quarantine.position desc, quarantine_id
