-- One row: how many entries $account has.
select coalesce(sum(count_entries), 0)::bigint as count_entries
from ledger.account_days
where account = $account
