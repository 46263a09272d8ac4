"""Mails: headers, a text part and an HTML part that say the same; of a payout we know the words.

Nothing from outside reaches a header except through EmailMessage, which refuses line breaks,
or a line or tag except through `text.py` and `html.escape`.
"""

import datetime as dt
from collections.abc import Iterator
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template
from textwrap import wrap
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from contracts.letters import Letter
from pipelines.mail.headers import MAIL_POLICY, MAIL_POLICY_WITH_UTF8, KeepingPolicy
from pipelines.mail.text import money, one_line, without_links
from warehouse.statements import Statement, StatementEntry

HTML_TEMPLATE = Template(Path(__file__).with_name("statement.html").read_text(encoding="utf-8"))
COMPANY_NAME = "UberPopug Inc."
LINE_LENGTH = 78
AMOUNT_WIDTH = 12
KIND_WORDS = {"fee": "Fee", "reward": "Reward", "reversal": "Correction"}


class BadAddressError(ValueError):
    """No mail can go to this address; the message says why."""


def message_id(entry_id: UUID, mail_from: str) -> str:
    """The Message-ID of a payout's mail, the same for every copy of it."""
    return f"<payout.{entry_id}@{_domain(mail_from)}>"


def build_message(
    statement: Statement,
    *,
    message_id: str,
    mail_from: str,
    zone: ZoneInfo,
    now: dt.datetime,
) -> EmailMessage:
    """The mail that tells an employee of one payout; raises BadAddressError."""
    assert statement.closing_cents == 0, statement
    message = _begun(statement.name, statement.email, mail_from, now)
    message["Subject"] = (
        f"Your payout for {statement.business_date}: {money(statement.amount_cents)}"
    )
    message["Message-ID"] = message_id
    lines = [_line(entry, zone) for entry in statement.entries]
    message.set_content(_text(statement, lines, zone), cte="quoted-printable")
    message.make_alternative(boundary=f"payout-{statement.entry_id}")
    message.add_alternative(_html(statement, lines, zone), subtype="html", cte="quoted-printable")
    return message


def build_letter(
    letter: Letter, *, link_id: UUID, mail_from: str, now: dt.datetime
) -> EmailMessage:
    """The mail that brings somebody a link, the same for every copy; raises BadAddressError."""
    message = _begun(letter.name, letter.email, mail_from, now)
    message["Subject"] = letter.subject
    message["Message-ID"] = f"<link.{link_id}@{_domain(mail_from)}>"
    message.set_content(letter.text, cte="quoted-printable")
    message.make_alternative(boundary=f"link-{link_id}")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message


def build_alert(
    *, alert_id: UUID, email: str, mail_from: str, subject: str, text: str, now: dt.datetime
) -> EmailMessage:
    """The mail about an incident, the same for every copy; raises BadAddressError."""
    message = _begun("", email, mail_from, now)
    message["Subject"] = subject
    message["Message-ID"] = f"<alert.{alert_id}@{_domain(mail_from)}>"
    message.set_content(text, cte="quoted-printable")
    return message


def _begun(name: str, email: str | None, mail_from: str, now: dt.datetime) -> EmailMessage:
    """A mail with the headers that all have."""
    message = EmailMessage(policy=_policy_for(email))
    message["From"] = _sender(mail_from)
    message["To"] = _address(one_line(name), email or "")
    message["Date"] = format_datetime(now)
    message["Auto-Submitted"] = "auto-generated"
    return message


def _domain(mail_from: str) -> str:
    return parseaddr(mail_from)[1].rpartition("@")[2] or "localhost"


@lru_cache(maxsize=4)
def _sender(mail_from: str) -> str:
    name, address = parseaddr(mail_from)
    return str(_address(name or COMPANY_NAME, address))


def _policy_for(email: str | None) -> KeepingPolicy:
    """Headers in UTF-8 only where the part before the @ cannot be written otherwise."""
    local_part = (email or "").rpartition("@")[0]
    return MAIL_POLICY if local_part.isascii() else MAIL_POLICY_WITH_UTF8


def _address(name: str, address: str) -> Address:
    local_part, _, domain = address.rpartition("@")
    if not local_part or not domain or not address.isprintable() or " " in address:
        raise BadAddressError(f"{address!r} is no mail address")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
        return Address(name, addr_spec=f"{local_part}@{ascii_domain}")
    except (ValueError, IndexError, MessageError) as error:  # the parser of email raises all three
        raise BadAddressError(f"{address!r} is no mail address") from error


def _day(statement: Statement) -> str:
    date = statement.business_date
    return f"{date:%A}, {date.day} {date:%B} {date.year}"


def _lines_of_sum(statement: Statement) -> Iterator[tuple[str, int]]:
    """What the sum is made of, line by line, each with its cents."""
    yield "Balance before the day", statement.opening_cents
    yield (
        _counted(statement.count_fees, "fee for an assignment", "fees for assignments"),
        (statement.fees_cents),
    )
    yield (
        _counted(statement.count_rewards, "reward for a task", "rewards for tasks"),
        (statement.rewards_cents),
    )
    if statement.count_reversals:
        yield (
            _counted(statement.count_reversals, "correction", "corrections"),
            (statement.reversals_cents),
        )


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


class _Line(NamedTuple):
    """An entry as both parts show it; the title is plain text, not yet escaped."""

    time: str
    kind: str
    amount: str
    title: str


def _line(entry: StatementEntry, zone: ZoneInfo) -> _Line:
    local = entry.occurred_at.astimezone(zone)
    return _Line(
        time=f"{local.hour:02d}:{local.minute:02d}",
        kind=KIND_WORDS[entry.kind],
        amount=money(entry.amount_cents),
        title=without_links(entry.title),
    )


def _text(statement: Statement, lines: list[_Line], zone: ZoneInfo) -> str:
    return "\n".join(_text_lines(statement, lines, zone)) + "\n"


def _text_lines(statement: Statement, lines: list[_Line], zone: ZoneInfo) -> Iterator[str]:
    yield f"Hello {without_links(statement.name)},"
    yield ""
    yield f"your payout for {_day(statement)} is {money(statement.amount_cents)}."
    yield "Your balance is now 0.00."
    yield ""
    yield "How it came about"
    for label, cents in _lines_of_sum(statement):
        yield f"  {label:<34}{money(cents):>{AMOUNT_WIDTH}}"
    yield f"  {'Paid out':<34}{money(statement.amount_cents):>{AMOUNT_WIDTH}}"
    if lines:
        yield ""
        yield f"The entries behind it (times in {zone.key})"
        for line in lines:
            yield from _text_entry(line)
        if statement.count_more:
            yield f"  ... and {_more(statement)}"
    yield ""
    yield f"Payout {statement.entry_id}."
    yield f"{COMPANY_NAME} pays every positive balance at the end of the day."


def _text_entry(line: _Line) -> list[str]:
    start = f"  {line.time}  {line.kind:<10}{line.amount:>10}  "
    if len(start) + len(line.title) <= LINE_LENGTH:
        return [start + line.title]
    return wrap(
        line.title,
        width=LINE_LENGTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
    )


def _more(statement: Statement) -> str:
    return _counted(statement.count_more, "more entry", "more entries")


def _html(statement: Statement, lines: list[_Line], zone: ZoneInfo) -> str:
    rows = "".join(
        f"<tr><td>{line.time}</td><td>{line.kind}</td><td>{escape(line.title)}</td>"
        f'<td class="sum">{line.amount}</td></tr>\n'
        for line in lines
    )
    if statement.count_more:
        rows += f'<tr><td colspan="4">&hellip; and {_more(statement)}</td></tr>\n'
    sums = "".join(
        f'<tr><td>{label}</td><td class="sum">{money(cents)}</td></tr>\n'
        for label, cents in _lines_of_sum(statement)
    )
    return HTML_TEMPLATE.substitute(
        name=escape(without_links(statement.name)),
        day=_day(statement),
        amount=money(statement.amount_cents),
        sum_rows=sums,
        entry_rows=rows or '<tr><td colspan="4">No entries on this day.</td></tr>\n',
        zone=escape(zone.key),
        entry_id=statement.entry_id,
    )
