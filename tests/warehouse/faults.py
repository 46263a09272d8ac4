"""One fault for every check in `warehouse/checks/`, as SQL to plant it."""

A_FEE = "(select min(entry_id) from lake.ledger.postings where kind = 'fee')"
A_REWARD = "(select min(entry_id) from lake.ledger.postings where kind = 'reward')"
A_PAYOUT = "(select min(entry_id) from lake.ledger.payouts)"
A_DAY = "date '2024-02-08'"
AN_ASSIGNMENT = "(select max(position) from lake.raw.events where type = 'task.assigned')"
A_COMPLETION = "(select max(position) from lake.raw.events where type = 'task.completed')"
A_CREATION = "(select max(position) from lake.raw.events where type = 'task.created')"
A_QUARANTINED = (
    "insert into lake.raw.quarantine (quarantine_id, position, topic, reason, detail, received_at,"
    " attempts, settled_as) select uuid(), 7, 'tasks', 'not-json', '', now(), 0"
)


def change_data(key: str, value: str, where: str) -> str:
    """SQL that replaces a value inside the JSON of one event in the lake."""
    pattern = f'"{key}":("[^"]*"|[0-9]+)'
    return (
        f"update lake.raw.events set data = regexp_replace(data, '{pattern}', '\"{key}\":{value}')"
        f" where position = {where}"
    )


NOBODY = '"00000000-0000-0000-0000-000000000000"'
# A fault in the lake that the check of this name must report.
LAKE_FAULTS = {
    "archived_days_are_whole":
        "insert into lake.ops.archived_days values (date '2024-02-01', 1, 9, 9, 'x', now())",
    "assignments_are_numbered": change_data("assignment_number", "9", AN_ASSIGNMENT),
    "balances_follow_from_the_log":
        "update lake.ledger.account_days set fees_cents = fees_cents - 100 where account ="
        " (select min(account) from lake.ledger.account_days)",
    "certificates_match_the_tracker":
        f"delete from lake.ledger.certificates where business_date = {A_DAY}",
    "certificates_match_their_days":
        "update lake.ledger.certificates set count_events = count_events + 1"
        f" where business_date = {A_DAY}",
    "days_agree_everywhere":
        "delete from lake.ledger.postings where account = 'company' and entry_id = " + A_FEE,
    "days_never_change_once_closed":
        f"update lake.raw.events set business_date = {A_DAY} where position = {AN_ASSIGNMENT}",
    "dearest_tasks_are_the_dearest":
        f"update lake.marts.dearest_tasks set reward_cents = 100 where business_date = {A_DAY}",
    "discards_are_decisions": A_QUARANTINED + ", 'discarded'",
    "earnings_follow_from_the_certificates":
        "update lake.ledger.account_days set rewards_cents = rewards_cents - 100"
        f" where account = 'company' and business_date = {A_DAY}",
    "employees_are_the_same_in_the_lake":
        "update lake.marts.employee_versions set name = 'x' where position = 1",
    "fees_match_assignments": f"delete from lake.ledger.postings where entry_id = {A_FEE}",
    "finished_tasks_are_folds":
        "insert into lake.marts.finished_tasks select * from lake.marts.completions limit 1",
    "lake_events_equal_the_log":
        "update lake.raw.events set occurred_at = occurred_at + interval 1 second"
        " where position = 7",
    "lake_has_every_event_once":
        "insert into lake.raw.events select * from lake.raw.events where position = 7",
    "lake_state_is_true":
        "update lake.ops.ingest_state set contiguous_position = contiguous_position - 1",
    "ledger_balances_are_folds":
        "update lake.ledger.account_days set count_entries = count_entries + 1"
        " where account = 'cash'",
    "ledger_entries_balance":
        "update lake.ledger.postings set amount_cents = amount_cents + 1"
        f" where account = 'company' and entry_id = {A_FEE}",
    "ledger_postings_move_the_right_way":
        f"update lake.ledger.postings set amount_cents = -amount_cents where entry_id = {A_FEE}",
    "ledger_sums_to_zero":
        f"delete from lake.ledger.postings where account = 'company' and entry_id = {A_REWARD}",
    "payout_days_follow_each_other":
        f"delete from lake.ledger.paid_days where business_date = {A_DAY}",
    "payouts_are_single": "insert into lake.ledger.payouts select * from lake.ledger.payouts",
    "payouts_follow_the_closed_form":
        "update lake.ledger.payouts set amount_cents = amount_cents + 100 where entry_id = "
        + A_PAYOUT,
    "payouts_leave_nothing":
        f"delete from lake.ledger.postings where entry_id = {A_PAYOUT}",
    "payouts_match_their_entries":
        f"delete from lake.ledger.payouts where entry_id = {A_PAYOUT}",
    "prices_are_in_range": change_data("fee_cents", "2100", A_CREATION),
    "prices_never_change": change_data("reward_cents", "2001", A_COMPLETION),
    "quarantine_is_settled": A_QUARANTINED + ", null",
    "rewards_match_completions": f"delete from lake.ledger.postings where entry_id = {A_REWARD}",
    "task_days_are_folds":
        "update lake.marts.task_days set count_reassigned = count_reassigned + 1"
        f" where business_date = {A_DAY}",
    "tasks_are_the_same_in_the_lake":
        "delete from lake.marts.tasks_created where position ="
        " (select min(position) from lake.marts.tasks_created)",
    "tasks_begin_and_end_once": change_data("employee_id", NOBODY, A_COMPLETION),
    "unfinished_tasks_are_folds":
        "update lake.marts.unfinished_tasks set completed_at = null, completed_date = null",
}  # fmt: skip
# A fault in the tracker's database that the check of this name must report.
TRACKER_FAULTS = {
    "deliveries_end_well": """
        alter table mail.deliveries drop constraint deliveries_check2;
        alter table mail.deliveries drop constraint deliveries_check1;
        update mail.deliveries set state = 'sent'
    """,
    "deliveries_match_payouts":
        "delete from mail.deliveries where business_date ="
        " (select min(business_date) from mail.deliveries)",
    "employees_are_their_events": "update employees set role = 'admin' where name = 'w1'",
    "log_amounts_equal_their_data": "update event_log set fee_cents = 1 where position = 1",
    "log_positions_have_no_holes": "delete from event_log where position = 5",
    "log_versions_have_no_gaps": """
        update event_log set sequence = sequence + 100 where position =
            (select max(position) from event_log where type = 'task.assigned')
    """,
    "tasks_are_their_events": """
        update tasks set assignee_id =
            (select employee_id from employees where employee_id <> assignee_id limit 1)
        where external_id = 't3'
    """,
}  # fmt: skip
