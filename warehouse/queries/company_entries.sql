-- One row per fee and reward of $business_date whose employee, title or Jira id holds $text, newest
-- first; amounts as the company's account moves. Names and Jira ids (which stand beside the tasks'
-- creation, weeks back) are looked up for all entries only if there is a text, else for the page.
with
entries as (
    select *
    from lake.ledger.postings
    where business_date = $business_date and account not in ('company', 'cash') and kind <> 'payout'
),

named as (
    select
        entries.entry_id,
        concat_ws(' ', employee.name, task.jira_id, entries.title) as names,
    from entries
    left join marts.employees as employee on employee.employee_id::varchar = entries.account
    left join lake.marts.tasks_created as task
        on task.task_id = entries.task_id and task.task_id >= (select min(task_id) from entries)
    where $text <> ''
),

matching as (
    select *
    from entries
    where $text = '' or entry_id in (
        select entry_id from named where contains(lower(names), lower($text))
    )
),

totals as (
    select
        count(*) as count_matching,
        -sum(amount_cents)::bigint as matching_cents,
    from matching
),

page as (
    select *
    from matching
    order by occurred_at desc, position desc, entry_id
    limit $count_max offset $count_skipped
)

select
    page.entry_id,
    page.kind,
    -page.amount_cents as amount_cents,
    page.occurred_at,
    page.account::uuid as employee_id,
    employee.name as employee,
    page.task_id,
    page.title,
    task.jira_id,
    totals.count_matching,
    totals.matching_cents,
from page
cross join totals
left join marts.employees as employee on employee.employee_id::varchar = page.account
left join lake.marts.tasks_created as task on task.task_id = page.task_id
order by page.occurred_at desc, page.position desc, page.entry_id
