-- The whole ledger sums to zero.
-- asset: ledger.postings, each window
select sum(amount_cents)::bigint as sum_cents
from lake.ledger.postings
having sum(amount_cents) <> 0
