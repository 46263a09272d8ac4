"""The tracker's letters: sent once, kept while the server is away, forgotten when sent."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from ates.embedded.postgres import PostgresServer
from contracts.letters import Letter
from pipelines.mail import letters, marking
from pipelines.mail.letters import send_letters
from pipelines.mail.post import LEASE, Desk
from tests.figures import figure
from tests.pipelines.conftest import SetClock
from tests.pipelines.smtp_sink import SmtpSink

ADDRESS = "https://tasks.example/set-password?token=" + "t" * 43
INSERT = text("""
with person as (
    insert into employees (employee_id, name, email, role, is_active, version, registered_at)
    values (:employee_id, 'P', :email, 'worker', true, 1, :now)
)
insert into sign_in_links (
    employee_id, link_id, token_hash, created_at, expires_at, letter, next_attempt_at
)
values (:employee_id, :link_id, sha256(:hashed), :now, :now + interval '1 hour', :letter, :now)
""")
END_CONNECTIONS = text(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = :name"
)


def post(desk: Desk, email: str = "polly@example.com", name: str = "Polly") -> UUID:
    """Put a letter in; its link's id."""
    link_id = uuid4()
    letter = Letter(
        name=name,
        email=email,
        subject="Выберите пароль",
        text=f"Hello,\n\n{ADDRESS}\n",
        html=f'<p><a href="{ADDRESS}">Choose</a></p>',
    )
    values = {
        "employee_id": uuid4(),
        "email": f"{link_id}@example.com",
        "link_id": link_id,
        "hashed": link_id.bytes,
        "now": desk.clock(),
        "letter": msgspec.json.encode(letter).decode(),
    }
    with desk.engine.begin() as connection:
        connection.execute(INSERT, values)
    return link_id


def links(desk: Desk, columns: str) -> list[tuple[object, ...]]:
    with desk.engine.connect() as connection:
        found = connection.execute(text(f"select {columns} from sign_in_links order by created_at"))
        return [tuple(row) for row in found]


def test_a_database_that_restarts_before_the_mark_costs_no_second_copy(
    desk: Desk,
    sink: SmtpSink,
    postgres_server: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = create_engine(postgres_server.url("postgres"), isolation_level="AUTOCOMMIT")
    name = desk.engine.url.database

    def open_to_connections(is_open: bool) -> None:
        with others.connect() as connection:
            connection.execute(text(f"alter database {name} allow_connections {is_open}"))
            connection.execute(END_CONNECTIONS, {"name": name})

    monkeypatch.setattr(marking, "sleep", lambda _seconds: open_to_connections(True))
    sink.fault = lambda verb, _count: open_to_connections(False) if verb == "KEPT" else None
    post(desk)

    assert [send_letters(desk, budget_seconds=60) for _ in range(2)] == [1, 0]
    assert len(sink.mails) == 1
    others.dispose()


def test_a_letter_is_sent_once_and_its_words_are_forgotten(desk: Desk, sink: SmtpSink) -> None:
    link_id = post(desk)

    assert [send_letters(desk, budget_seconds=60) for _ in range(2)] == [1, 0]

    (mail,) = sink.mails
    assert str(mail["Message-ID"]) == f"<link.{link_id}@uberpopug.example>"
    assert (str(mail["To"]), str(mail["From"])) == (
        "Polly <polly@example.com>", "Popugs <ates@uberpopug.example>",
    )  # fmt: skip
    assert str(mail["Subject"]) == "Выберите пароль"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert ADDRESS in plain.get_content()
    assert ADDRESS in html.get_content()
    assert links(desk, "letter, sent_at is not null, claimed_until, attempts") == [
        (None, True, None, 1)
    ]


def answer_at(verb: str, answer: str) -> Callable[[str, int], str | None]:
    return lambda seen, count: answer if (seen, count) == (verb, 1) else None


@pytest.mark.parametrize(
    ("verb", "answer", "wait"),
    [("MAIL", "451 later", "a few seconds"), ("DATA", "drop", "a few seconds"),
     ("RCPT", "550 no such box", "an hour")],
)  # fmt: skip
def test_a_letter_that_is_not_taken_waits_with_its_reason(
    desk: Desk, sink: SmtpSink, clock: SetClock, verb: str, answer: str, wait: str
) -> None:
    sink.fault = answer_at(verb, answer)
    post(desk)

    assert send_letters(desk, budget_seconds=60) == 0
    ((error, is_kept),) = links(desk, "last_error, letter is not null")
    assert error
    assert is_kept
    clock.advance(seconds=2)
    if wait == "an hour":
        assert "550 no such box" in str(error)
        assert send_letters(desk, budget_seconds=60) == 0
    else:
        assert send_letters(desk, budget_seconds=60) == 1
        assert len(sink.mails) == 1


def test_while_no_server_listens_letters_wait_and_none_is_lost(
    desk: Desk, sink: SmtpSink, clock: SetClock
) -> None:
    for _ in range(5):
        post(desk)
        clock.advance(seconds=1)
    sink.stop()
    assert send_letters(desk, budget_seconds=60) == 0
    assert [each for (each,) in links(desk, "attempts")] == [1, 1, 1, 0, 0], "a few tries a round"
    assert figure("ates_mail_letter_waiting_seconds") == 5
    sink.start()
    clock.advance(seconds=2)

    assert send_letters(desk, budget_seconds=60) == 5
    assert figure("ates_mail_letter_waiting_seconds") == 0


def test_a_sender_that_dies_leaves_the_same_mail_to_the_next(
    desk: Desk, sink: SmtpSink, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(desk)
    with monkeypatch.context() as patch:
        patch.setattr(letters, "LETTERS", replace(letters.LETTERS, mark_sent=text("select died")))
        with pytest.raises(ProgrammingError):
            send_letters(desk, budget_seconds=60)

    assert send_letters(desk, budget_seconds=60) == 0, "the lease runs"
    clock.now += LEASE
    assert send_letters(desk, budget_seconds=60) == 1
    assert len(sink.mails) == 2
    assert len(set(sink.message_ids)) == 1
    assert len({mail.as_bytes().split(b"\n\n", 1)[1] for mail in sink.mails}) == 1


def test_what_has_ended_is_neither_sent_nor_kept(
    desk: Desk, sink: SmtpSink, clock: SetClock
) -> None:
    post(desk)
    clock.advance(hours=1)

    assert send_letters(desk, budget_seconds=60) == 0
    assert sink.mails == []
    assert links(desk, "1") == []


def test_an_address_that_is_none_stops_no_other_letter(desk: Desk, clock: SetClock) -> None:
    post(desk, email="no address")
    clock.advance(seconds=1)
    post(desk, name="Polly\r\nBcc: x@example.com")

    assert send_letters(desk, budget_seconds=60) == 1
    assert "is no mail address" in str(links(desk, "last_error")[0][0])
