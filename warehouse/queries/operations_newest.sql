-- The newest $rows_max records that wait in quarantine.
select
    quarantine_id,
    received_at,
    topic,
    position,
    reason,
    detail,
from raw.quarantine
where settled_as is null
order by received_at desc, quarantine_id
limit $rows_max
