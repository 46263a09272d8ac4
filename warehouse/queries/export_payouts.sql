-- One row per payout; the mail's state is empty when nobody is to be told.
select
    payout.business_date,
    payout.employee_id,
    payout.amount_cents,
    payout.entry_id,
    delivery.state as mail_state,
from lake.ledger.payouts as payout
left join deliveries as delivery on delivery.delivery_id = payout.entry_id
order by payout.business_date, payout.employee_id
