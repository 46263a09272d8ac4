-- A year of business as events in log order: table `history`, one row an event, times in UTC.
-- $tasks tasks are created evenly over $days days from $first_date on, get one to three assignees
-- among $employees employees, and are completed after minutes or weeks; some are still open. Every
-- day is closed at its end but the last. Chance is a hash, so that each run makes the same.
create temp table history as
with tasks as (
    select
        number,
        $first_date::timestamp + (number * ($days::double / $tasks)) * interval 1 day as created_at,
        hash(number) as chance,
        1 + (hash(number, 'hands') % 4 = 0)::integer + (hash(number, 'hands') % 12 = 0)::integer
            as count_hands,
        -- from minutes to a few weeks, short ones most often
        300 * exp(9 * pow((hash(number, 'time') % 1000000) / 1000000.0, 1.3)) as seconds,
    from range($tasks) as numbers (number)
),

steps as (
    select
        number,
        chance,
        created_at,
        created_at as happened_at,
        'task.created' as type,
        1 as sequence,
    from tasks
    union all
    select
        number,
        hash(number, step) as chance,
        created_at,
        created_at + if(step = 1, 0, seconds * (step - 1) / (count_hands + 1)) * interval 1 second
            as happened_at,
        'task.assigned' as type,
        step + 1 as sequence,
    from tasks, range(1, 4) as steps (step)
    where step <= count_hands
    union all
    select
        number,
        hash(number, count_hands) as chance,
        created_at,
        created_at + seconds * interval 1 second as happened_at,
        'task.completed' as type,
        count_hands + 2 as sequence,
    from tasks
),

work as (
    select * replace (date_trunc('milliseconds', happened_at) as happened_at), number as subject,
    from steps
    where happened_at < $first_date::timestamp + $days * interval 1 day
),

everything as (
    select subject, type, sequence, chance % $employees as person, happened_at, created_at,
    from work
    union all
    select person, 'employee.registered', 1, person, $first_date::timestamp, null,
    from range($employees) as people (person)
    union all
    select
        day,
        'business_day.closed',
        1,
        0,
        $first_date::timestamp + (day + 1) * interval 1 day,
        null,
    from range($days - 1) as closed (day)
)

select
    row_number() over (
        order by happened_at, type <> 'business_day.closed', type = 'task.completed', sequence,
            type <> 'employee.registered', subject
    ) as position,
    *,
    if(type = 'business_day.closed', $first_date + subject::integer, happened_at::date)
        as business_date,
    1000 + 100 * (hash(subject, 'fee') % 11) as fee_cents,
    2000 + 100 * (hash(subject, 'reward') % 21) as reward_cents,
from everything
