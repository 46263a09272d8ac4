-- The records of `history` from $first to $last, in log order, byte for byte as ops_api writes them.
with certificates as (
    select
        business_date,
        max(position) as last_position,
        count(*) as count_events,
        coalesce(sum(fee_cents) filter (type = 'task.assigned'), 0) as fees_cents,
        coalesce(sum(reward_cents) filter (type = 'task.completed'), 0) as rewards_cents,
    from history
    where type <> 'business_day.closed'
        and business_date in (
            select business_date from history
            where type = 'business_day.closed' and position between $first and $last
        )
    group by business_date
),

named as (
    select
        history.*,
        certificates.* exclude (business_date),
        md5(type || subject || sequence)::uuid::varchar as event_id,
        md5('person' || person)::uuid::varchar as person_id,
        -- UUIDv7, as the tracker makes them: their order is that of creation
        (
            format('{:012x}', epoch_ms(created_at)) || '7'
            || md5('task' || subject)[1:3] || 'b' || md5('task' || subject)[5:19]
        )::uuid::varchar as task_id,
        'Task ' || subject || ' of the year ' || (subject * 7919 % 100003) as title,
        strftime(happened_at, '%Y-%m-%dT%H:%M:%S.%fZ') as time,
    from history
    left join certificates
        on certificates.business_date = history.business_date
        and history.type = 'business_day.closed'
    where position between $first and $last
),

spoken as (
    select
        *,
        case type
            when 'business_day.closed' then business_date::varchar
            when 'employee.registered' then person_id
            else task_id
        end as subject_id,
        case type
            when 'task.created' then format(
                '{{"task_id":"{}","title":"{}","jira_id":null,"fee_cents":{},"reward_cents":{}'
                ',"created_by":"{}","external_id":null}}',
                task_id, title, fee_cents, reward_cents, person_id
            )
            when 'task.assigned' then format(
                '{{"task_id":"{}","assignee_id":"{}","assignment_number":{},"fee_cents":{}'
                ',"title":"{}"}}',
                task_id, person_id, sequence - 1, fee_cents, title
            )
            when 'task.completed' then format(
                '{{"task_id":"{}","employee_id":"{}","reward_cents":{},"title":"{}"}}',
                task_id, person_id, reward_cents, title
            )
            when 'employee.registered' then format(
                '{{"employee_id":"{0}","name":"Employee {1}","email":"{1}@example.com"'
                ',"role":"worker","is_active":true,"external_id":null}}',
                person_id, person
            )
            else format(
                '{{"business_date":"{}","last_position":{},"count_events":{},"fees_cents":{}'
                ',"rewards_cents":{},"is_mail_wanted":false}}',
                business_date, last_position, count_events, fees_cents, rewards_cents
            )
        end as data,
    from named
)

select
    case type
        when 'business_day.closed' then 'business-days'
        when 'employee.registered' then 'employees'
        else 'tasks'
    end as topic,
    -1::integer as partition,
    -1::bigint as "offset",
    position,
    null::blob as key,
    encode(
        format(
            '{{"specversion":"1.0","id":"{}","type":"{}","source":"ates/ops_api","subject":"{}"'
            ',"time":"{}","datacontenttype":"application/json","dataschema":"{}/{}"'
            ',"sequence":{},"businessdate":"{}","correlationid":"{}","data":{}}}',
            event_id, type, subject_id, time, type, if(type = 'task.created', 2, 1), sequence,
            business_date, event_id, data
        )
    ) as value,
from spoken
order by position
