-- One row per entry of $account in the days $first to $last that matches $kinds and $text, newest
-- first; the balance after it counts all entries, the totals those that match. Jira ids are looked
-- up for all entries only if there is a text to find, else for the page.
with
openings as (
    select coalesce(sum(fees_cents + rewards_cents + payouts_cents), 0)::bigint as opening_cents
    from ledger.account_days
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

searched as (
    select
        task_id,
        jira_id,
    from lake.marts.tasks_created
    where $text <> '' and task_id >= (select min(task_id) from entries)
),

page as (
    select
        entries.*,
        count(*) over () as count_matching,
        coalesce(sum(amount_cents) filter (kind = 'fee') over (), 0)::bigint as fees_cents,
        coalesce(sum(amount_cents) filter (kind = 'reward') over (), 0)::bigint as rewards_cents,
        coalesce(sum(amount_cents) filter (kind = 'payout') over (), 0)::bigint as payouts_cents,
        sum(amount_cents) over ()::bigint as total_cents,
    from entries
    left join searched on searched.task_id = entries.task_id
    where entries.kind in (select unnest($kinds::varchar[]))
        and (
            $text = ''
            or contains(lower(concat_ws(' ', searched.jira_id, entries.title)), lower($text))
        )
    order by entries.number desc
    limit $count_max offset $count_skipped
)

select
    page.entry_id,
    page.kind,
    page.amount_cents,
    (openings.opening_cents + page.moved_cents)::bigint as balance_cents,
    page.business_date,
    page.occurred_at,
    page.task_id,
    page.title,
    task.jira_id,
    page.count_matching,
    page.fees_cents,
    page.rewards_cents,
    page.payouts_cents,
    page.total_cents,
from page
cross join openings
left join lake.marts.tasks_created as task on task.task_id = page.task_id
order by page.number desc
