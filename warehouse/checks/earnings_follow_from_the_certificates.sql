-- The company's earnings of a closed day are the certified fees minus rewards, without what is in
-- quarantine; payouts never count.
-- asset: marts.company_days
with missing as (
    select business_date, sum(fee_cents - reward_cents) as earnings_cents
    from quarantined
    group by business_date
)

select
    certificate.business_date,
    certificate.fees_cents - certificate.rewards_cents - coalesce(missing.earnings_cents, 0)
        as expected_cents,
    coalesce(day.earnings_cents, 0) as found_cents,
from lake.ledger.certificates as certificate
left join lake.marts.company_days as day on day.business_date = certificate.business_date
left join missing on missing.business_date = certificate.business_date
where certificate.last_position <= (select through from scope)
    and expected_cents <> found_cents
