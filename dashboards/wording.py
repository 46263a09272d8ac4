"""Numbers and times as people read them, in the language of whoever looks."""

import datetime as dt
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_decimal

from dashboards.languages import _, locale

CENTS = Decimal(100)
MINUS = "\u2212"
# A page writes a few hundred texts at each refresh, nearly always the same ones.
TEXTS_MAX = 20_000


def money(cents: int) -> str:
    """`-123450` as `1,234.50` behind a real minus, or as `1 234,50` where that is the custom."""
    return _money(cents, locale())


@lru_cache(TEXTS_MAX)
def _money(cents: int, spoken: Locale) -> str:
    text = format_decimal(amount(cents), "#,##0.00", locale=spoken, decimal_quantization=False)
    return text.replace("-", MINUS)


def signed(cents: int) -> str:
    """The same with a sign before gains, too: for movements."""
    return f"+{money(cents)}" if cents > 0 else money(cents)


def number(count: int) -> str:
    """A count with thousands separators."""
    return format_decimal(count, locale=locale()).replace("-", MINUS)


def amount(cents: int) -> Decimal:
    """Whole currency units, exact; for tables that sort and align numbers themselves."""
    return Decimal(cents) / CENTS


def day(date: dt.date) -> str:
    """A date for reading: `Mon 2 Mar 2026`."""
    return _day(date, locale())


@lru_cache(TEXTS_MAX)
def _day(date: dt.date, spoken: Locale) -> str:
    return format_date(date, "EEE d MMM y", locale=spoken)


def month(date: dt.date) -> str:
    """The month of a date: `March 2026`."""
    return format_skeleton("yMMMM", date, locale=locale())


def moment(at: dt.datetime, zone: ZoneInfo) -> str:
    """A moment in the business zone, to the second: `Mon 2 Mar 2026, 09:00:07`."""
    return _moment(at, zone, locale())


@lru_cache(TEXTS_MAX)
def _moment(at: dt.datetime, zone: ZoneInfo, spoken: Locale) -> str:
    local = at.astimezone(zone)
    return f"{_day(local.date(), spoken)}, {format_time(local, 'HH:mm:ss', locale=spoken)}"


def age(seconds: float) -> str:
    """How long ago something was, in the largest unit that is at least one."""
    whole = max(0, int(seconds))
    for size, unit in ((86_400, _("{count} d")), (3_600, _("{count} h")), (60, _("{count} min"))):
        if whole >= size:
            return unit.format(count=whole // size)
    return _("{count} s").format(count=whole)


def kind_name(kind: str) -> str:
    """What an entry is."""
    names = {
        "fee": _("fee"),
        "reward": _("reward"),
        "payout": _("payout"),
        "reversal": _("reversal"),
    }
    return names[kind]
