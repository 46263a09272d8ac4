-- One row per fee and reward of $task_id, created on $created_on, in the order they happened;
-- amounts as the company's account moves.
select
    posting.entry_id,
    posting.kind,
    -posting.amount_cents as amount_cents,
    posting.occurred_at,
    posting.account::uuid as employee_id,
    employee.name as employee,
    posting.task_id,
    posting.title,
    task.jira_id,
    count(*) over () as count_matching,
    -sum(posting.amount_cents) over ()::bigint as matching_cents,
from lake.ledger.postings as posting
left join marts.employees as employee on employee.employee_id::varchar = posting.account
left join lake.marts.tasks_created as task on task.task_id = posting.task_id
where posting.task_id = $task_id
    and posting.business_date >= $created_on
    and posting.account <> 'company'
order by posting.occurred_at, posting.position
