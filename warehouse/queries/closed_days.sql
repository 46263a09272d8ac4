-- One row per closed business day from $first to $last.
select business_date
from ledger.certificates
where business_date between $first and $last
