-- A delivery is sent to an address at a known time under a message id of its own, or says why not.
-- asset: mail.deliveries
select
    delivery_id,
    state,
    email,
    sent_at,
    last_error,
from deliveries
qualify (state = 'sent') <> (sent_at is not null)
    or (state = 'sent' and email is null)
    or (state = 'blocked' and last_error is null)
    or state not in ('pending', 'sending', 'sent', 'blocked')
    or count(*) over (partition by message_id) > 1
