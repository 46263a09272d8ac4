-- The dearest completed task of the day, the ISO week and the month of $today: highest reward, then
-- earlier completion, then lower id. Spans without a completed task are absent.
with spans as (
    select 'day' as span, $today::date as first_date, $today::date as last_date
    union all
    select 'week', date_trunc('week', $today::date)::date, $today::date
    union all
    select 'month', date_trunc('month', $today::date)::date, $today::date
)

select
    spans.span,
    spans.first_date,
    spans.last_date,
    task.business_date,
    task.task_id,
    task.title,
    task.reward_cents,
from spans
inner join lake.marts.dearest_tasks as task
    on task.business_date between spans.first_date and spans.last_date
qualify row_number() over (
    partition by spans.span order by task.reward_cents desc, task.completed_at, task.task_id
) = 1
order by spans.last_date - spans.first_date
