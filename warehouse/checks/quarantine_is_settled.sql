-- No event of the log waits in quarantine: each was read in the end, or discarded for a reason.
-- asset: raw.quarantine, each window
select position, topic, reason, detail
from lake.raw.quarantine
where position is not null and settled_as is null
