"""What a payout mail says, and that nothing from outside can change more than its words."""

import datetime as dt
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from pipelines.mail.message import BadAddressError, build_message, message_id
from pipelines.mail.text import money, one_line, without_links
from warehouse.statements import Statement, StatementEntry

ENTRY_ID = UUID("5e5f1c9a-0000-5000-8000-000000000001")
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def entry(title: str, kind: str = "fee", amount_cents: int = -1500) -> StatementEntry:
    return StatementEntry(NOON, kind, amount_cents, title)


def statement(**changes: object) -> Statement:
    facts: dict[str, object] = {
        "entry_id": ENTRY_ID,
        "business_date": dt.date(2026, 11, 22),
        "amount_cents": 123_700,
        "email": "ann@example.com",
        "name": "Ann Ara",
        "opening_cents": 1_200,
        "count_fees": 1,
        "fees_cents": -1_500,
        "count_rewards": 41,
        "rewards_cents": 124_000,
        "count_reversals": 0,
        "reversals_cents": 0,
        "entries": (entry("Sweep the cage"), entry("Feed [POPUG-1]", "reward", 4_000)),
    }
    return Statement(**(facts | changes))  # type: ignore[arg-type]


def build(**changes: object) -> EmailMessage:
    """The mail as a reader gets it: written to bytes and read again."""
    mail = build_message(
        statement(**changes),
        message_id=message_id(ENTRY_ID, "ates@uberpopug.example"),
        mail_from="ates@uberpopug.example",
        zone=ZoneInfo("Asia/Tbilisi"),
        now=NOON,
    )
    return message_from_bytes(mail.as_bytes(policy=SMTP), policy=default)


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def test_both_parts_tell_sum_day_opening_balance_and_entries() -> None:
    text, html = parts(build())

    assert "is 1,237.00." in text
    for part in (text, html):
        for words in ("Ann Ara", "1,237.00", "Sunday, 22 November 2026", "12.00", "-15.00"):
            assert words in part
        for words in ("1,240.00", "Sweep the cage", "Feed [POPUG-1]", "16:00", "40 more entries"):
            assert words in part


def test_headers_name_the_payout_for_ever() -> None:
    mail = build()

    assert mail["Message-ID"] == f"<payout.{ENTRY_ID}@uberpopug.example>"
    assert mail["Subject"] == "Your payout for 2026-11-22: 1,237.00"
    assert mail["To"].addresses[0].addr_spec == "ann@example.com"
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("words", ["x\r\nBcc: y@example.com", "x\nBcc: y", "x\u2028Bcc: y", "x\0y"])
def test_line_breaks_in_names_and_titles_add_no_header_and_no_line(words: str) -> None:
    plain = build(name="x Bcc: y", entries=(entry("x Bcc: y"),))
    mail = build(name=words, entries=(entry(words),))

    assert mail.keys() == plain.keys()
    assert "Bcc" not in mail
    assert len(mail["To"].addresses) == 1
    assert len(parts(mail)[0].splitlines()) == len(parts(plain)[0].splitlines())


def test_html_in_a_title_is_shown_and_not_obeyed() -> None:
    title = '<script>alert(1)</script><img src=x onerror="y"><a href="http://evil.example">Win</a>'
    _, html = parts(build(name="<b>Ann</b>", entries=(entry(title),)))

    assert "<script" not in html
    assert "<img" not in html
    assert "<a " not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    "link",
    [
        "http://evil.example/a",
        "HTTPS://evil.example",
        "www.evil.example",
        "evil.example",
        "a@evil.example",
        "mailto:a@evil.example",
        "javascript:alert(1)",
    ],
)
def test_a_link_in_a_title_is_text(link: str) -> None:
    shown = without_links(f"see {link} now")

    assert link not in shown
    assert shown.replace("\u200b", "") == f"see {link} now"


def test_an_ordinary_title_stays_as_it_was() -> None:
    for title in ("[POPUG-12] - Fix v1.2, 50% at 12:30", "Ünïcode ☂ 漢字", "a / b: c. D"):
        assert without_links(title) == title


def test_reversed_text_and_control_characters_vanish() -> None:
    assert one_line("  a\x07b\u202ec\td  ") == "a bc d"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "ann@",
        "@example.com",
        "a b@example.com",
        "ann@example.com\r\nBcc: y@z.example",
        "ann@exa..mple.com",
        "ann@example.com,bob@example.com",
        "a@b@example.com",
        "<ann@example.com>",
    ],
)
def test_a_malformed_address_gets_no_mail(address: str) -> None:
    with pytest.raises(BadAddressError):
        build(email=address)


def test_an_address_in_another_script_is_written_as_mail_wants_it() -> None:
    assert build(email="ann@bücher.example")["To"].addresses[0].domain == "xn--bcher-kva.example"


def test_names_with_commas_and_accents_arrive_whole() -> None:
    for name in ("Ara, Ann", 'Ann "A" Ara', "Änn Ära", "安" * 9):
        assert build(name=name)["To"].addresses[0].display_name == name.strip()


def test_a_huge_title_is_wrapped_and_complete() -> None:
    text, _ = parts(build(entries=(entry("word " * 90),)))

    assert text.count("word") == 90
    assert max(len(line) for line in text.splitlines()) <= 78


def test_money_is_whole_units_with_two_decimals() -> None:
    assert [money(cents) for cents in (0, 5, -50, 123_456_789)] == [
        "0.00", "0.05", "-0.50", "1,234,567.89",
    ]  # fmt: skip


def test_a_statement_that_does_not_add_up_is_never_written() -> None:
    with pytest.raises(AssertionError):
        build(opening_cents=0)
