-- One row per entry of $account in the days $first to $last, newest first, from the one behind the
-- newest $count_skipped on, $count_max of them; the balance after it is what the account held at the
-- end of $last, $closing_cents, less what came after.
with
entries as (
    select
        *,
        sum(amount_cents) over (newest_first rows unbounded preceding) - amount_cents
            as later_cents,
        row_number() over newest_first as number,
    from lake.ledger.postings
    where account = $account and business_date between $first and $last
    window newest_first as (
        order by business_date desc, occurred_at desc, position desc nulls first, entry_id desc
    )
),

page as (
    select * from entries where number between $count_skipped + 1 and $count_skipped + $count_max
)

select
    page.entry_id,
    page.kind,
    page.amount_cents,
    ($closing_cents - page.later_cents)::bigint as balance_cents,
    page.business_date,
    page.occurred_at,
    page.task_id,
    page.title,
    task.jira_id,
from page
left join lake.marts.tasks_created as task on task.task_id = page.task_id
order by page.number
