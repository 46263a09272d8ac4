-- Every payout somebody is to be told of has one delivery of the same employee, day and amount; no
-- other delivery exists.
-- asset: mail.deliveries
with payouts as (
    select
        payout.entry_id,
        payout.business_date,
        payout.employee_id,
        payout.amount_cents,
    from lake.ledger.payouts as payout
    inner join lake.ledger.certificates as certificate
        on certificate.business_date = payout.business_date and certificate.is_mail_wanted
),

told as (
    select
        delivery_id as entry_id,
        business_date,
        employee_id,
        amount_cents,
    from deliveries
)

select 'payout without this delivery' as fault, *
from (
    select * from payouts where business_date <= (select planned_through from scope)
    except all
    select * from told
)
union all
select 'delivery without this payout' as fault, *
from (
    select * from told where business_date <= (select paid_through from scope)
    except all
    select * from payouts
)
