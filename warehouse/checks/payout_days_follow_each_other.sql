-- Paid days follow each other without a gap, each is certified, and each adds up to its payouts.
-- asset: ledger.paid_days
with sums as (
    select
        business_date,
        count(*) as count_payouts,
        sum(amount_cents)::bigint as payouts_cents,
    from lake.ledger.payouts
    group by business_date
),

days as (
    select
        paid.business_date,
        lag(paid.business_date) over (order by paid.business_date) as day_before,
        paid.count_payouts,
        paid.payouts_cents,
        coalesce(sums.count_payouts, 0) as found_count_payouts,
        coalesce(sums.payouts_cents, 0) as found_payouts_cents,
        certificate.business_date is not null as is_certified,
    from lake.ledger.paid_days as paid
    left join sums on sums.business_date = paid.business_date
    left join lake.ledger.certificates as certificate
        on certificate.business_date = paid.business_date
)

select business_date, 'does not follow, is not certified or does not add up' as fault
from days
where business_date - day_before <> 1
    or not is_certified
    or count_payouts <> found_count_payouts
    or payouts_cents <> found_payouts_cents
union all
select business_date, 'has payouts, but is not a paid day' as fault
from sums anti join days using (business_date)
union all
select paid_through as business_date, 'is not the last paid day' as fault
from scope
where paid_through is distinct from (select max(business_date) from days)
