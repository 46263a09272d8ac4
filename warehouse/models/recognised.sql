-- Each arrived record, read and written again. What comes out byte for byte as it came in is an
-- event of ours: no type was bent, no key is missing, unknown or repeated, nothing else hides in it.
with parsed as (
    select
        ordinal,
        position,
        body,
        try(from_json(body, '{
            "id": "UUID", "time": "VARCHAR", "dataschema": "VARCHAR", "sequence": "INTEGER",
            "businessdate": "DATE", "correlationid": "UUID",
            "data": {
                "task_id": "UUID", "title": "VARCHAR", "jira_id": "VARCHAR",
                "fee_cents": "INTEGER", "reward_cents": "INTEGER", "created_by": "UUID",
                "external_id": "VARCHAR", "assignee_id": "UUID", "employee_id": "UUID",
                "assignment_number": "INTEGER"
            }
        }')) as event,
    from arrivals
    where is_readable
),

flat as (
    select
        ordinal,
        position,
        body,
        event.id as event_id,
        event.time as time,
        event.dataschema as dataschema,
        event.sequence as sequence,
        event.businessdate as business_date,
        event.correlationid as correlation_id,
        unnest(event.data),
    from parsed
),

with_data as (
    select
        *,
        task_id::varchar as subject,
        case dataschema
            when 'task.created/2' then
                '{"task_id":"' || task_id::varchar
                || '","title":"' || title
                || '","jira_id":' || coalesce('"' || jira_id || '"', 'null')
                || ',"fee_cents":' || fee_cents::varchar
                || ',"reward_cents":' || reward_cents::varchar
                || ',"created_by":"' || created_by::varchar
                || '","external_id":' || coalesce('"' || external_id || '"', 'null')
                || '}'
            when 'task.assigned/1' then
                '{"task_id":"' || task_id::varchar
                || '","assignee_id":"' || assignee_id::varchar
                || '","assignment_number":' || assignment_number::varchar
                || ',"fee_cents":' || fee_cents::varchar
                || ',"title":"' || title
                || '"}'
            when 'task.completed/1' then
                '{"task_id":"' || task_id::varchar
                || '","employee_id":"' || employee_id::varchar
                || '","reward_cents":' || reward_cents::varchar
                || ',"title":"' || title
                || '"}'
        end as data,
    from flat
)

select
    *,
    '{"specversion":"1.0","id":"' || event_id::varchar
    || '","type":"' || split_part(dataschema, '/', 1)
    || '","source":"ates/ops_api","subject":"' || subject
    || '","time":"' || time
    || '","datacontenttype":"application/json","dataschema":"' || dataschema
    || '","sequence":' || sequence::varchar
    || ',"businessdate":"' || business_date::varchar
    || '","correlationid":"' || correlation_id::varchar
    || '","data":' || data
    || '}' as rewritten,
from with_data
