-- No event of the log waits in quarantine: each was read in the end, or discarded for a reason.
-- asset: raw.quarantine
select position, type, subject, business_date
from quarantined
where settled_as is null
