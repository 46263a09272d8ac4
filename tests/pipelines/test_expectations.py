"""What is expected of a running installation, judged from figures."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from pipelines.expectations import judge_arrival, judge_payday

TBILISI = ZoneInfo("Asia/Tbilisi")
DAY = dt.date(2026, 11, 20)
ONE_DAY = dt.timedelta(days=1)


def is_paid_in_time(paid_through: dt.date | None, local: str, first: dt.date | None = DAY) -> bool:
    now = dt.datetime.fromisoformat(local).replace(tzinfo=TBILISI)
    return judge_payday(
        first_date=first, paid_through=paid_through, now=now.astimezone(dt.UTC), zone=TBILISI
    ).is_met


def test_yesterday_must_be_paid_from_the_deadline_on() -> None:
    assert is_paid_in_time(DAY, "2026-11-22T00:59")
    assert not is_paid_in_time(DAY, "2026-11-22T01:00")
    assert is_paid_in_time(DAY + ONE_DAY, "2026-11-22T01:00")


def test_the_day_before_must_be_paid_already_before_the_deadline() -> None:
    assert not is_paid_in_time(DAY - ONE_DAY, "2026-11-22T00:10")


def test_nothing_is_expected_of_a_business_that_began_today_or_not_yet() -> None:
    assert is_paid_in_time(None, "2026-11-20T12:00")
    assert is_paid_in_time(None, "2026-11-20T12:00", first=None)
    assert not is_paid_in_time(None, "2026-11-21T12:00")


@pytest.mark.parametrize(
    ("behind", "seconds", "is_met"), [(0, 999.0, True), (5, 3.0, True), (5, 61.0, False)]
)
def test_events_may_be_on_their_way_but_not_for_long(
    behind: int, seconds: float, is_met: bool
) -> None:
    assert judge_arrival(behind, seconds).is_met is is_met
