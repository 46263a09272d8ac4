-- How tasks go, kept so that no page counts events. Each transaction of ingest appends what its
-- batch adds; upkeep folds it.
create table marts.task_days (
    business_date date not null,
    count_created bigint not null,
    count_assigned bigint not null,
    count_reassigned bigint not null,
    count_completed bigint not null
);
comment on table marts.task_days is 'What happened to tasks on a day. Several rows per day: sum them when reading; upkeep folds them.';
comment on column marts.task_days.business_date is 'The day';
comment on column marts.task_days.count_created is 'Tasks created';
comment on column marts.task_days.count_assigned is 'All assignments, those at creation included';
comment on column marts.task_days.count_reassigned is 'Assignments after the first of their task';
comment on column marts.task_days.count_completed is 'Tasks completed';

create table marts.unfinished_tasks (
    task_id uuid not null,
    created_at timestamptz,
    completed_at timestamptz,
    completed_date date,
    count_assignments integer
);
comment on table marts.unfinished_tasks is 'One row per task and batch that created or completed it: take the highest of each column. Upkeep moves tasks that have both times to finished_tasks, so what stays is what is open.';
comment on column marts.unfinished_tasks.task_id is 'The task';
comment on column marts.unfinished_tasks.created_at is 'Null in the row of a batch that only completed it';
comment on column marts.unfinished_tasks.completed_at is 'Null in the row of a batch that only created it, as are the columns after it';
comment on column marts.unfinished_tasks.completed_date is 'Business date of the completion';
comment on column marts.unfinished_tasks.count_assignments is 'How often it was assigned in all';

create table marts.finished_tasks (
    business_date date not null,
    within_hours integer,
    assignments integer not null,
    count_tasks bigint not null,
    count_assignments bigint not null,
    seconds bigint not null
);
comment on table marts.finished_tasks is 'Completed tasks by day of completion, time they took and number of assignments. Several rows per group: sum them when reading; upkeep folds them.';
comment on column marts.finished_tasks.business_date is 'Day of completion';
comment on column marts.finished_tasks.within_hours is 'The least of 1, 4, 24, 72, 168 and 672 hours they were done in; null when it took longer';
comment on column marts.finished_tasks.assignments is 'How often each was assigned; 5 stands for five or more';
comment on column marts.finished_tasks.count_tasks is 'Tasks of the group';
comment on column marts.finished_tasks.count_assignments is 'Assignments of all tasks of the group together';
comment on column marts.finished_tasks.seconds is 'Whole seconds from creation to completion, of all tasks of the group together';

create view marts.newly_finished as
with tasks as (
    select
        max(created_at) as created_at,
        max(completed_at) as completed_at,
        max(completed_date) as business_date,
        max(count_assignments) as count_assignments,
    from marts.unfinished_tasks
    -- few tasks are completed and still here: only they need to be put together
    where task_id in (
        select task_id from marts.unfinished_tasks where completed_at is not null
    )
    group by task_id
    having max(created_at) is not null and max(completed_at) is not null
),

timed as (
    select
        business_date,
        -- by whole numbers: a difference of times with zones goes by the calendar, and slowly
        greatest(0, (epoch_us(completed_at) - epoch_us(created_at)) // 1_000_000) as seconds,
        least(count_assignments, 5) as assignments,
        count_assignments,
    from tasks
)

select
    business_date,
    case
        when seconds <= 3600 then 1
        when seconds <= 4 * 3600 then 4
        when seconds <= 24 * 3600 then 24
        when seconds <= 72 * 3600 then 72
        when seconds <= 168 * 3600 then 168
        when seconds <= 672 * 3600 then 672
    end as within_hours,
    assignments,
    count(*) as count_tasks,
    sum(count_assignments)::bigint as count_assignments,
    sum(seconds)::bigint as seconds,
from timed
group by business_date, within_hours, assignments;
comment on view marts.newly_finished is 'What unfinished_tasks still holds of finished ones, as rows of finished_tasks';
-- columns marts.newly_finished: as marts.finished_tasks

create view marts.completions as
select * from marts.finished_tasks
union all
select * from marts.newly_finished;
comment on view marts.completions is 'All completed tasks, as rows of finished_tasks';
-- columns marts.completions: as marts.finished_tasks
