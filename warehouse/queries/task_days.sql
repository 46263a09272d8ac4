-- One row per business day from $first to $last, days without any event included; then one row
-- without a date for all of them, and one with the date $first - 1 for the days from $before on.
with calendar as (
    select unnest(generate_series($first::date, $last::date, interval 1 day))::date as business_date
),

days as (
    select
        greatest(business_date, $first::date - 1) as business_date,
        sum(count_created) as count_created,
        sum(count_assigned) as count_assigned,
        sum(count_reassigned) as count_reassigned,
        sum(count_completed) as count_completed,
    from marts.task_days
    where business_date between $before and $last
    group by greatest(business_date, $first::date - 1)
),

before as (
    select * from days where business_date < $first
),

filled as (
    select calendar.business_date, days.* exclude (business_date)
    from calendar
    left join days using (business_date)
)

select
    business_date,
    coalesce(sum(count_created), 0)::bigint as count_created,
    coalesce(sum(count_assigned), 0)::bigint as count_assigned,
    coalesce(sum(count_reassigned), 0)::bigint as count_reassigned,
    coalesce(sum(count_completed), 0)::bigint as count_completed,
from filled
group by rollup (business_date)
union all
select
    $first::date - 1 as business_date,
    coalesce(sum(count_created), 0)::bigint,
    coalesce(sum(count_assigned), 0)::bigint,
    coalesce(sum(count_reassigned), 0)::bigint,
    coalesce(sum(count_completed), 0)::bigint,
from before
order by business_date nulls first
