-- The batch's events, typed. What is not clean is judged in Python and replaced.
with typed as (
    select
        *,
        try_cast(id as uuid) as typed_event_id,
        try_cast(correlationid as uuid) as typed_correlation_id,
        try_cast(task_id as uuid) as typed_task_id,
        try_cast(person_id as uuid) as typed_person_id,
        try_cast(sequence as integer) as typed_sequence,
        try_cast(assignment_number as integer) as typed_number,
        try_cast(time as timestamptz) as typed_time,
        try_cast(businessdate as date) as typed_business_date,
        try_cast(fee_cents as integer) as typed_fee_cents,
        try_cast(reward_cents as integer) as typed_reward_cents,
    from recognised
)

select
    ordinal,
    position,
    typed_event_id as event_id,
    split_part(dataschema, '/', 1) as type,
    try_cast(split_part(dataschema, '/', 2) as smallint) as version,
    task_id as subject,
    typed_sequence as sequence,
    typed_time as occurred_at,
    typed_business_date as business_date,
    typed_correlation_id as correlation_id,
    data,
    typed_task_id as task_id,
    typed_person_id as person_id,
    title,
    jira_id,
    external_id,
    typed_fee_cents::bigint as fee_cents,
    typed_reward_cents::bigint as reward_cents,
    coalesce(
        rebuilt_body = body
        and typed_event_id::varchar = id
        and typed_correlation_id::varchar = correlationid
        and typed_task_id::varchar = task_id
        and typed_person_id::varchar = person_id
        and typed_business_date::varchar = businessdate
        and typed_sequence::varchar = sequence
        and typed_sequence >= 1
        and coalesce(typed_number::varchar, '') = coalesce(assignment_number, '')
        and coalesce(typed_number, 1) >= 1
        and coalesce(typed_fee_cents::varchar, '') = coalesce(fee_cents, '')
        and coalesce(typed_fee_cents between 1000 and 2000 and typed_fee_cents % 100 = 0, true)
        and coalesce(typed_reward_cents::varchar, '') = coalesce(reward_cents, '')
        and coalesce(typed_reward_cents between 2000 and 4000 and typed_reward_cents % 100 = 0, true)
        and length(title) between 1 and 500
        and typed_time is not null
        and regexp_full_match(
            time,
            '[12][0-9]{3}-[01][0-9]-[0-3][0-9]T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{6})?Z'
        ),
        false
    ) as is_clean,
from typed
