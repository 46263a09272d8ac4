-- Every completed task has one reward, credited to its completer on its day; there is no other
-- reward.
-- asset: ledger.postings
with completions as (
    select
        event_id,
        person_id::varchar as account,
        reward_cents as amount_cents,
        business_date,
        occurred_at,
        task_id,
        title,
        position,
    from lake_events
    where type = 'task.completed'
    qualify row_number() over (partition by task_id order by position) = 1
),

rewards as (
    select
        event_id,
        account,
        amount_cents,
        business_date,
        occurred_at,
        task_id,
        title,
        position,
    from lake.ledger.postings
    where kind = 'reward' and account <> 'company'
)

select 'completion without this reward' as fault, *
from (select * from completions except all select * from rewards)
union all
select 'reward without this completion' as fault, *
from (select * from rewards except all select * from completions)
