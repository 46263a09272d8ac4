-- One row per check: its last result, and when it last failed (null: not within the kept month).
select
    name,
    arg_max(statement, checked_at) as statement,
    arg_max(count_offending, checked_at) as count_offending,
    arg_max(coalesce(sample, ''), checked_at) as sample,
    max(checked_at) as checked_at,
    arg_max(checked_by, checked_at) as checked_by,
    max(checked_at) filter (count_offending > 0) as failed_at,
from ops.check_results
group by name
order by count_offending desc, name
