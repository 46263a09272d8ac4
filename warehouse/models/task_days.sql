-- What this batch adds to each day. A task's events are numbered: 1 creates it, 2 assigns it first.
select
    business_date,
    count(*) filter (type = 'task.created') as count_created,
    count(*) filter (type = 'task.assigned') as count_assigned,
    count(*) filter (type = 'task.assigned' and sequence > 2) as count_reassigned,
    count(*) filter (type = 'task.completed') as count_completed,
from events
where type like 'task.%'
group by business_date
