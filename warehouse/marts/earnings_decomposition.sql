with fees as (
    select
        business_date,
        -amount_cents as fee_cents,
        row_number() over (partition by task_id order by position) as assignment_number,
    from ledger.postings
    where kind = 'fee' and account <> 'company'
),

charged as (
    select
        business_date,
        coalesce(sum(fee_cents) filter (assignment_number = 1), 0)::bigint as first_fees_cents,
        coalesce(sum(fee_cents) filter (assignment_number > 1), 0)::bigint
            as reassignment_fees_cents,
    from fees
    group by business_date
)

select
    company.business_date,
    coalesce(charged.first_fees_cents, 0) as first_fees_cents,
    coalesce(charged.reassignment_fees_cents, 0) as reassignment_fees_cents,
    company.rewards_cents,
    company.earnings_cents,
    company.payouts_cents,
    sum(company.earnings_cents) over (order by company.business_date)::bigint
        as earnings_so_far_cents,
from marts.company_days as company
left join charged using (business_date)
