with assignments as (
    select
        task_id,
        account::uuid as to_employee_id,
        lag(account::uuid) over (partition by task_id order by position) as from_employee_id,
        -amount_cents as fee_cents,
        business_date,
    from ledger.postings
    where kind = 'fee' and account <> 'company'
)

select
    business_date,
    from_employee_id,
    to_employee_id,
    from_employee_id = to_employee_id as is_same_employee,
    count(*) as count_reassignments,
    count(distinct task_id) as count_tasks,
    sum(fee_cents)::bigint as fees_cents,
from assignments
where from_employee_id is not null
group by business_date, from_employee_id, to_employee_id
