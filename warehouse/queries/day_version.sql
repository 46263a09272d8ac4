-- One row: how much there is to say of $business_date, and how many states employees were in. While
-- the day is not paid any event may be one of its own.
with paid as (
    select count(*) as count_days from ledger.paid_days where business_date = $business_date
)

select
    (
        select coalesce(sum(count_entries), 0)::bigint
        from ledger.account_days
        where business_date = $business_date
    ) as count_entries,
    (select count(*) from marts.employee_versions) as count_employee_versions,
    paid.count_days,
    if(paid.count_days > 0, 0, state.last_position) as last_position,
from paid
cross join ops.ingest_state as state
