-- Every journal entry has two postings, neither of them zero, that sum to zero.
-- asset: ledger.postings
select
    entry_id,
    count(*) as count_postings,
    sum(amount_cents)::bigint as sum_cents,
from lake.ledger.postings
group by entry_id
having count(*) <> 2 or sum(amount_cents) <> 0 or bool_or(amount_cents = 0)
