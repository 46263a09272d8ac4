-- One row per entry of $account in the days $first to $last that matches $kinds and $text, newest
-- first; the balance after it counts all entries, the totals those that match.
with
openings as (
    select coalesce(sum(fees_cents + rewards_cents + payouts_cents), 0)::bigint as opening_cents
    from lake.ledger.account_days
    where account = $account and business_date < $first
),

entries as (
    select
        posting.*,
        sum(amount_cents) over in_order as moved_cents,
        row_number() over in_order as number,
    from lake.ledger.postings as posting
    where account = $account and business_date between $first and $last
    window in_order as (
        order by business_date, occurred_at, position nulls last, entry_id
        rows unbounded preceding
    )
),

named as (
    select
        entries.*,
        task.jira_id,
        (openings.opening_cents + entries.moved_cents)::bigint as balance_cents,
    from entries
    cross join openings
    left join lake.marts.tasks_created as task on task.task_id = entries.task_id
),

matching as (
    select *
    from named
    where kind in (select unnest($kinds::varchar[]))
        and contains(lower(concat_ws(' ', jira_id, title)), lower($text))
)

select
    entry_id,
    kind,
    amount_cents,
    balance_cents,
    business_date,
    occurred_at,
    task_id,
    title,
    jira_id,
    count(*) over () as count_matching,
    coalesce(sum(amount_cents) filter (kind = 'fee') over (), 0)::bigint as fees_cents,
    coalesce(sum(amount_cents) filter (kind = 'reward') over (), 0)::bigint as rewards_cents,
    coalesce(sum(amount_cents) filter (kind = 'payout') over (), 0)::bigint as payouts_cents,
    sum(amount_cents) over ()::bigint as total_cents,
from matching
order by number desc
limit $count_max offset $count_skipped
