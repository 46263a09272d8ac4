-- One row per reason for which records wait in quarantine: how many, and when the newest came.
select
    reason,
    count(*) as count_records,
    max(received_at) as newest_at,
from raw.quarantine
where settled_as is null
group by reason
order by count_records desc, reason
