-- One row per closed business day.
select
    business_date,
    last_position,
    count_events,
    fees_cents,
    rewards_cents,
    is_mail_wanted,
    position,
    closed_at,
from judged_certificates
