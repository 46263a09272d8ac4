with assignments as (
    select
        task_id,
        count(*) as count_assignments,
        arg_min(account, position)::uuid as first_assignee_id,
        arg_max(account, position)::uuid as last_assignee_id,
        -sum(amount_cents)::bigint as charged_cents,
    from ledger.postings
    where kind = 'fee' and account <> 'company'
    group by task_id
),

completions as (
    select
        task_id,
        account::uuid as completed_by,
        amount_cents as credited_cents,
        occurred_at as completed_at,
        business_date as completed_date,
    from ledger.postings
    where kind = 'reward' and account <> 'company'
)

select
    created.task_id,
    created.title,
    created.jira_id,
    created.created_by,
    created.created_at,
    created.business_date as created_date,
    created.fee_cents,
    created.reward_cents,
    coalesce(assignments.count_assignments, 0) as count_assignments,
    assignments.first_assignee_id,
    assignments.last_assignee_id,
    coalesce(assignments.charged_cents, 0) as charged_cents,
    completions.task_id is not null as is_done,
    completions.completed_by,
    completions.completed_at,
    completions.completed_date,
    epoch(completions.completed_at - created.created_at)::bigint as seconds_to_done,
    (coalesce(assignments.charged_cents, 0) - coalesce(completions.credited_cents, 0))::bigint
        as company_net_cents,
from marts.tasks_created as created
left join assignments using (task_id)
left join completions using (task_id)
