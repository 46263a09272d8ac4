-- One row: the first unpaid business day and the last one with money or a certificate, up to
-- $through. Both null in an empty lake; first after last when everything is paid.
with dates as (
    select business_date from lake.ledger.account_days
    union all
    select business_date from lake.ledger.certificates
)

select
    coalesce((select paid_through + 1 from lake.ops.payout_state), min(business_date))::date
        as first_date,
    least(max(business_date), coalesce($through, max(business_date)))::date as last_date,
from dates
