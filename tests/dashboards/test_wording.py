"""Numbers and times as people read them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from dashboards.wording import age, amount, day, moment, money


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "0.00"), (5, "0.05"), (-5, "\u22120.05"), (123_456_789, "1,234,567.89"),
     (-100_000, "\u22121,000.00"), (10**17 + 1, "1,000,000,000,000,000.01")],
)  # fmt: skip
def test_money_is_exact_at_any_size(cents: int, text: str) -> None:
    assert money(cents) == text
    assert int(amount(cents) * 100) == cents


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (0.9, "0 s"), (59, "59 s"), (60, "1 min"), (7_199, "1 h"), (172_800, "2 d")],
)
def test_age_uses_the_largest_unit(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_a_moment_is_told_in_the_business_zone() -> None:
    night = dt.datetime(2026, 3, 1, 23, 30, 5, tzinfo=dt.UTC)

    assert moment(night, ZoneInfo("Europe/Berlin")) == "Mon 2 Mar 2026, 00:30:05"
    assert day(night.date()) == "Sun 1 Mar 2026"
