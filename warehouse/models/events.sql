-- The batch's events, typed. What is not clean is judged by contracts.decode in Python, so these
-- bounds may be narrower than those of contracts, but never wider (a test damages events at random).
select
    ordinal,
    position,
    event_id,
    split_part(dataschema, '/', 1) as type,
    try_cast(split_part(dataschema, '/', 2) as smallint) as version,
    subject,
    sequence,
    try_cast(time as timestamptz) as occurred_at,
    business_date,
    correlation_id,
    data,
    task_id,
    coalesce(assignee_id, employee_id, created_by) as person_id,
    title,
    jira_id,
    external_id,
    fee_cents::bigint as fee_cents,
    reward_cents::bigint as reward_cents,
    coalesce(
        rewritten = body
        and sequence >= 1
        and coalesce(assignment_number >= 1, true)
        and coalesce(fee_cents between 1000 and 2000 and fee_cents % 100 = 0, true)
        and coalesce(reward_cents between 2000 and 4000 and reward_cents % 100 = 0, true)
        and length(title) between 1 and 500
        and regexp_full_match(title, '[^\x00-\x1f\x7f-\x{9f}]*[\pL\pN\pP\pS][^\x00-\x1f\x7f-\x{9f}]*')
        and coalesce(length(jira_id) <= 64, true)
        and coalesce(regexp_full_match(jira_id, '[A-Z][A-Z0-9_]*-[0-9]+'), true)
        and coalesce(length(external_id) between 1 and 200, true)
        and coalesce(regexp_full_match(external_id, '[^\x00-\x1f\x7f-\x{9f}]*[\pL\pN\pP\pS][^\x00-\x1f\x7f-\x{9f}]*'), true)
        and try_cast(time as timestamptz) is not null
        and regexp_full_match(
            time,
            '[12][0-9]{3}-[01][0-9]-[0-3][0-9]T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{6})?Z'
        ),
        false
    ) as is_clean,
from recognised
