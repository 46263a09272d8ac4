-- The company's earnings of a closed day are the certified fees minus rewards; payouts never count.
select
    certificate.business_date,
    certificate.fees_cents - certificate.rewards_cents as expected_cents,
    coalesce(day.earnings_cents, 0) as found_cents,
from lake.ledger.certificates as certificate
left join lake.marts.company_days as day on day.business_date = certificate.business_date
where certificate.last_position <= (select through from scope)
    and expected_cents <> found_cents
