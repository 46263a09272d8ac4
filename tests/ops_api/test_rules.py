"""Pure rules: nothing but values in and values out."""

import datetime as dt
import itertools
import random
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.upcasts import split_jira_id
from ops_api.auth import rules as auth_rules
from ops_api.days import rules as day_rules
from ops_api.employees import rules as employee_rules
from ops_api.errors import ConflictError, UnacceptableError
from ops_api.ids import uuid7
from ops_api.tasks import rules

UTC = ZoneInfo("UTC")
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def test_prices_are_whole_units_in_range_and_reach_both_ends() -> None:
    rng = random.Random(7)
    drawn = [rules.draw_prices(rng) for _ in range(5000)]

    assert {prices.fee_cents for prices in drawn} == set(range(1000, 2001, 100))
    assert {prices.reward_cents for prices in drawn} == set(range(2000, 4001, 100))


def test_fee_and_reward_are_drawn_apart() -> None:
    rng = random.Random(7)
    pairs = Counter(rules.draw_prices(rng) for _ in range(20_000))

    assert len(pairs) == 11 * 21
    assert max(pairs.values()) < 3 * min(pairs.values())


@pytest.mark.parametrize(
    "title",
    ["", "   ", "\t\n", "two\nlines", "a\0b", "tab\tinside", "\x7f", "\x85", "\u2028", "\ud800",
     "x" * 501, "\u200b\u200b"],
)  # fmt: skip
def test_a_title_that_cannot_be_shown_on_one_line_is_refused(title: str) -> None:
    with pytest.raises(UnacceptableError):
        rules.clean_title(title)


def test_a_title_is_trimmed_and_in_nfc() -> None:
    assert rules.clean_title("  Cafe\u0301 \n") == "Caf\u00e9"
    assert rules.clean_title("x" * 500) == "x" * 500
    assert rules.clean_title(" 🦜 <b>&'\"") == "🦜 <b>&'\""


@given(st.text(max_size=600))
def test_a_clean_title_stays_as_it_is(title: str) -> None:
    try:
        cleaned = rules.clean_title(title)
    except UnacceptableError:
        return

    assert rules.clean_title(cleaned) == cleaned
    assert 1 <= len(cleaned) <= 500
    jira_id, bare = split_jira_id(cleaned)
    assert jira_id or bare == cleaned


def test_only_the_assignee_completes_and_may_repeat_it() -> None:
    assert rules.decide_completion(is_done=False, is_assignee=True) is rules.Completion.NOW
    assert rules.decide_completion(is_done=True, is_assignee=True) is rules.Completion.BEFORE
    for is_done in (False, True):
        with pytest.raises(ConflictError):
            rules.decide_completion(is_done=is_done, is_assignee=False)


@pytest.mark.parametrize(
    ("role", "is_active", "expected"),
    [("worker", True, True), ("accountant", True, True), ("manager", True, False),
     ("admin", True, False), ("worker", False, False)],
)  # fmt: skip
def test_active_people_who_lead_nobody_are_assignable(
    role: str, is_active: bool, expected: bool
) -> None:
    assert employee_rules.is_assignable(role=role, is_active=is_active) is expected


@pytest.mark.parametrize(
    "email",
    ["", "x", "@", "a@", "@b", "a b@c", "a@b@c", "a@b\r\nBcc: c@d", "a@b,c@d", "<a@b>",
     "a" * 250 + "@b.cd"],
)  # fmt: skip
def test_what_is_no_single_address_is_refused(email: str) -> None:
    with pytest.raises(UnacceptableError):
        employee_rules.clean_email(email)


def test_an_address_keeps_its_letters() -> None:
    assert employee_rules.clean_email(" Polly.Popug+x@Example.COM ") == "Polly.Popug+x@Example.COM"


def test_a_role_is_one_of_four() -> None:
    assert [employee_rules.clean_role(role) for role in employee_rules.ROLES]
    with pytest.raises(UnacceptableError):
        employee_rules.clean_role("boss")


def test_a_business_date_is_the_local_date() -> None:
    late = dt.datetime(2026, 3, 2, 23, 59, 59, 999999, tzinfo=dt.UTC)

    assert day_rules.business_date_at(late, UTC, None) == dt.date(2026, 3, 2)
    assert day_rules.business_date_at(late, ZoneInfo("Asia/Tokyo"), None) == dt.date(2026, 3, 3)
    assert day_rules.business_date_at(late, ZoneInfo("Pacific/Pago_Pago"), None) == dt.date(
        2026, 3, 2
    )


def test_a_closed_day_gets_no_more_facts_even_when_the_clock_goes_back() -> None:
    yesterday = NOON - dt.timedelta(days=1)

    assert day_rules.business_date_at(yesterday, UTC, dt.date(2026, 3, 1)) == dt.date(2026, 3, 2)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe",
                                  "Africa/Cairo", "America/Havana", "Pacific/Apia"])  # fmt: skip
def test_days_tile_time_also_when_clocks_change(zone: str) -> None:
    """Quarter hours over a year: dates never go back and never leave out a day."""
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    dates = [
        day_rules.local_date(start + dt.timedelta(minutes=15 * step), ZoneInfo(zone))
        for step in range(366 * 96)
    ]

    assert all(
        later - earlier in {dt.timedelta(0), dt.timedelta(days=1)}
        for earlier, later in itertools.pairwise(dates)
    )


def test_a_day_of_23_hours_is_over_after_23_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    day = dt.date(2026, 3, 29)

    assert not day_rules.is_over(day, dt.datetime(2026, 3, 29, 21, 59, tzinfo=dt.UTC), berlin)
    assert day_rules.is_over(day, dt.datetime(2026, 3, 29, 22, 0, tzinfo=dt.UTC), berlin)


def test_only_the_next_day_that_is_over_can_be_closed() -> None:
    due = dt.date(2026, 2, 27)

    day_rules.require_closable(due, due=due, at=NOON, zone=UTC)
    for day in (dt.date(2026, 3, 2), dt.date(2026, 3, 3), dt.date(2026, 2, 28)):
        with pytest.raises(ConflictError):
            day_rules.require_closable(day, due=due, at=NOON, zone=UTC)
    with pytest.raises(ConflictError):
        day_rules.require_closable(due, due=None, at=NOON, zone=UTC)


def test_the_first_day_with_events_is_the_first_to_close() -> None:
    first = dt.date(2026, 2, 20)

    assert day_rules.next_to_close(None, None) is None
    assert day_rules.next_to_close(None, first) == first
    assert day_rules.next_to_close(dt.date(2026, 2, 28), first) == dt.date(2026, 3, 1)


def test_a_session_ends_by_idleness_and_by_age() -> None:
    def is_alive(*, seen: dt.timedelta, left: dt.timedelta) -> bool:
        return auth_rules.is_alive(NOON, last_seen_at=NOON - seen, expires_at=NOON + left)

    second = dt.timedelta(seconds=1)
    assert is_alive(seen=auth_rules.SESSION_IDLE - second, left=second)
    assert not is_alive(seen=auth_rules.SESSION_IDLE, left=second)
    assert not is_alive(seen=dt.timedelta(0), left=dt.timedelta(0))


def test_ids_are_version_7_and_sort_by_their_moment() -> None:
    rng = random.Random(3)
    moments = [NOON + dt.timedelta(milliseconds=step) for step in range(200)]
    ids = [uuid7(moment, rng) for moment in moments]

    assert ids == sorted(ids)
    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}
    assert ids[0].int >> 80 == int(NOON.timestamp() * 1000)
