"""English and Russian: every text has its translation, and numbers and dates follow."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
import streamlit as st
from babel.messages.catalog import Message
from streamlit.runtime.context import ContextProxy, StreamlitCookies

from dashboards.languages import NAMES, _, _n, language, speaking
from dashboards.locale import FOLDER, extracted, read_catalog
from dashboards.wording import age, day, moment, money, number

PLACE = re.compile(r"\{\w+\}|\*\*|`")
RUSSIAN = FOLDER / "ru.po"


def messages() -> list[Message]:
    return [message for message in read_catalog(RUSSIAN) if message.id]


def forms(text: object) -> list[str]:
    return [str(each) for each in text] if isinstance(text, tuple | list) else [str(text)]


def test_every_text_of_the_pages_is_translated_and_no_other() -> None:
    shown = {str(message.id) for message in extracted() if message.id}

    assert {str(message.id) for message in messages()} == shown
    assert [message.id for message in messages() if not all(forms(message.string))] == []
    assert [message.id for message in messages() if message.fuzzy] == []


def test_no_text_hides_inside_another_where_extraction_would_miss_it() -> None:
    hidden = [path.name for path in FOLDER.parent.rglob("*.py") if "{_(" in path.read_text("utf-8")]

    assert hidden == []


def test_translations_keep_the_places_for_figures() -> None:
    for message in messages():
        wanted = sorted(PLACE.findall(forms(message.id)[-1]))
        for form in forms(message.string):
            assert sorted(PLACE.findall(form)) == wanted, message.id


def test_a_russian_reader_gets_russian_words_numbers_and_dates() -> None:
    with speaking("ru"):
        assert _("My account") == "Мой счёт"
        assert [_n("{count} employee", "{count} employees", n).format(count=n) for n in (1, 2, 5)] \
            == ["1 сотрудник", "2 сотрудника", "5 сотрудников"]  # fmt: skip
        assert money(-123_456_789) == "\u22121\u00a0234\u00a0567,89"
        assert number(-3_035) == "\u22123\u00a0035"
        assert day(dt.date(2026, 3, 2)) == "пн 2 мар. 2026"
        assert age(7_200) == "2 ч"
        night = dt.datetime(2026, 3, 1, 23, 30, 5, tzinfo=dt.UTC)
        assert moment(night, ZoneInfo("Europe/Berlin")) == "пн 2 мар. 2026, 00:30:05"


@pytest.mark.parametrize(
    ("chosen", "spoken", "expected"),
    [
        (None, None, "en"), (None, "ru-RU", "ru"), (None, "de-DE", "en"),
        ("ru", "en-GB", "ru"), ("en", "ru-RU", "en"), ("xx", "ru-RU", "ru"),
    ],
)  # fmt: skip
def test_a_choice_goes_before_what_the_browser_speaks(
    monkeypatch: pytest.MonkeyPatch, chosen: str | None, spoken: str | None, expected: str
) -> None:
    cookies = {"ates_language": chosen} if chosen else {}
    monkeypatch.setattr(ContextProxy, "cookies", property(lambda _: StreamlitCookies(cookies)))
    monkeypatch.setattr(ContextProxy, "locale", property(lambda _: spoken))

    assert st.context.cookies.to_dict() == cookies
    assert language() == expected
    assert expected in NAMES
