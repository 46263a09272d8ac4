-- One row: how many entries $account has, and how many days are closed.
select
    coalesce(sum(count_entries), 0)::bigint as count_entries,
    (select count(*) from ledger.certificates) as count_closed,
from marts.balances
where account = $account
