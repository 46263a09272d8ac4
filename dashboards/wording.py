"""Numbers and times as people read them."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

CENTS = Decimal(100)
MINUS = "\u2212"


def money(cents: int) -> str:
    """`-123450` as `\u22121,234.50`."""
    return f"{amount(cents):,.2f}".replace("-", MINUS)


def amount(cents: int) -> Decimal:
    """Whole currency units, exact; for tables that sort and align numbers themselves."""
    return Decimal(cents) / CENTS


def day(date: dt.date) -> str:
    """A date for reading: `Mon 2 Mar 2026`."""
    return f"{date:%a} {date.day} {date:%b %Y}"


def moment(at: dt.datetime, zone: ZoneInfo) -> str:
    """A moment in the business zone, to the second: `Mon 2 Mar 2026, 09:00:07`."""
    local = at.astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M:%S}"


def age(seconds: float) -> str:
    """How long ago something was, in the largest unit that is at least one."""
    whole = max(0, int(seconds))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if whole >= size:
            return f"{whole // size} {unit}"
    return f"{whole} s"
