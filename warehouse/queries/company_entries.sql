-- One row per fee and reward of $business_date whose employee, title or Jira id holds $text, newest
-- first; amounts as the company's account moves.
with
entries as (
    select
        posting.*,
        employee.name as employee,
        task.jira_id,
    from lake.ledger.postings as posting
    left join lake.marts.employees as employee
        on employee.employee_id::varchar = posting.account
    left join lake.marts.tasks_created as task on task.task_id = posting.task_id
    where posting.business_date = $business_date
        and posting.account not in ('company', 'cash')
        and posting.kind <> 'payout'
)

select
    entry_id,
    kind,
    -amount_cents as amount_cents,
    occurred_at,
    account::uuid as employee_id,
    employee,
    task_id,
    title,
    jira_id,
    count(*) over () as count_matching,
    -sum(amount_cents) over ()::bigint as matching_cents,
from entries
where contains(lower(concat_ws(' ', employee, jira_id, title)), lower($text))
order by occurred_at desc, position desc, entry_id
limit $count_max offset $count_skipped
