-- What this batch adds to each account and day, signed as in the postings.
with movements as (
    select
        person_id,
        business_date,
        -coalesce(sum(fee_cents) filter (type = 'task.assigned'), 0) as fees_cents,
        coalesce(sum(reward_cents) filter (type = 'task.completed'), 0) as rewards_cents,
        count(*) as count_entries,
    from events
    where type in ('task.assigned', 'task.completed')
    group by person_id, business_date
),

company as (
    select
        business_date,
        -sum(fees_cents) as fees_cents,
        -sum(rewards_cents) as rewards_cents,
        sum(count_entries) as count_entries,
    from movements
    group by business_date
)

select
    person_id::varchar as account,
    business_date,
    fees_cents::bigint as fees_cents,
    rewards_cents::bigint as rewards_cents,
    0::bigint as payouts_cents,
    count_entries::bigint as count_entries,
from movements
union all
select
    'company' as account,
    business_date,
    fees_cents::bigint as fees_cents,
    rewards_cents::bigint as rewards_cents,
    0::bigint as payouts_cents,
    count_entries::bigint as count_entries,
from company
