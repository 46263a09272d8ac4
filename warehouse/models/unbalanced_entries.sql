-- Journal entries of this batch that are not two postings summing to zero. Must be empty.
select entry_id
from batch_postings
group by entry_id
having sum(amount_cents) <> 0 or count(*) <> 2
