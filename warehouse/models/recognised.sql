-- One row per arrived record, typed. A record is clean when we can write it again, byte for byte,
-- from the values we read: then no type was bent, no key is missing, unknown or repeated, and
-- nothing else hides in it. Whatever is not clean is judged by contracts.decode in Python.
with parsed as (
    select
        ordinal,
        position,
        body,
        try(from_json(body, '{
            "id": "VARCHAR", "time": "VARCHAR", "dataschema": "VARCHAR", "sequence": "VARCHAR",
            "businessdate": "VARCHAR", "correlationid": "VARCHAR",
            "data": {
                "task_id": "VARCHAR", "title": "VARCHAR", "jira_id": "VARCHAR",
                "fee_cents": "VARCHAR", "reward_cents": "VARCHAR", "created_by": "VARCHAR",
                "external_id": "VARCHAR", "assignee_id": "VARCHAR", "employee_id": "VARCHAR",
                "assignment_number": "VARCHAR"
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
        event.id as id,
        event.time as time,
        event.dataschema as dataschema,
        event.sequence as sequence,
        event.businessdate as businessdate,
        event.correlationid as correlationid,
        unnest(event.data),
    from parsed
),

data_rebuilt as (
    select
        *,
        case dataschema
            when 'task.created/2' then
                '{"task_id":"' || task_id
                || '","title":"' || title
                || '","jira_id":' || coalesce('"' || jira_id || '"', 'null')
                || ',"fee_cents":' || fee_cents
                || ',"reward_cents":' || reward_cents
                || ',"created_by":"' || created_by
                || '","external_id":' || coalesce('"' || external_id || '"', 'null')
                || '}'
            when 'task.assigned/1' then
                '{"task_id":"' || task_id
                || '","assignee_id":"' || assignee_id
                || '","assignment_number":' || assignment_number
                || ',"fee_cents":' || fee_cents
                || ',"title":"' || title
                || '"}'
            when 'task.completed/1' then
                '{"task_id":"' || task_id
                || '","employee_id":"' || employee_id
                || '","reward_cents":' || reward_cents
                || ',"title":"' || title
                || '"}'
        end as data,
        coalesce(assignee_id, employee_id, created_by) as person_id,
    from flat
),

body_rebuilt as (
    select
        *,
        '{"specversion":"1.0","id":"' || id
        || '","type":"' || split_part(dataschema, '/', 1)
        || '","source":"ates/ops_api","subject":"' || task_id
        || '","time":"' || time
        || '","datacontenttype":"application/json","dataschema":"' || dataschema
        || '","sequence":' || sequence
        || ',"businessdate":"' || businessdate
        || '","correlationid":"' || correlationid
        || '","data":' || data
        || '}' as rebuilt_body,
    from data_rebuilt
)

select * from body_rebuilt
