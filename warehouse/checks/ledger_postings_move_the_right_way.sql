-- A fee goes from an employee to the company, a reward the other way, a payout from an employee to
-- cash.
-- asset: ledger.postings
with legs as (
    select
        *,
        account = 'company' as is_company,
        account = 'cash' as is_cash,
        account not in ('company', 'cash') as is_employee,
    from lake.ledger.postings
)

select
    entry_id,
    kind,
    account,
    amount_cents,
from legs
where not case kind
    when 'fee' then if(amount_cents < 0, is_employee, is_company)
    when 'reward' then if(amount_cents < 0, is_company, is_employee)
    when 'payout' then if(amount_cents < 0, is_employee, is_cash)
    else kind = 'reversal'
end
