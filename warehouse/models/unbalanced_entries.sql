-- Journal entries of this batch that are not two postings summing to zero. Must be empty.
-- By position too, so that a forged event with a used id is found by the checks, not here.
select entry_id, position
from batch_postings
group by entry_id, position
having sum(amount_cents) <> 0 or count(*) <> 2
