"""The mailbox keeps what it said it kept, and shows it without executing any of it."""

import datetime as dt
import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ates.embedded.process import free_port, is_port_taken, launched
from ates.mailbox.smtp import MESSAGE_BYTES_MAX
from ates.mailbox.store import PAGE_ROWS, Message, Store
from ates.mailbox.web import make_app

START_SECONDS_MAX = 60.0
NOW = dt.datetime(2024, 2, 29, 23, 59, 58, 123456, tzinfo=dt.UTC)


class Mailbox:
    """`ates mailbox` as a process of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.smtp_port, self.web_port = free_port(), free_port()
        self.start()

    def start(self) -> None:
        environment = {
            **os.environ,
            "ATES_HOME": str(self.home),
            "SMTP_PORT": str(self.smtp_port),
            "MAILBOX_PORT": str(self.web_port),
        }
        command = launched([sys.executable, "-m", "ates.cli", "mailbox"])
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not (is_port_taken(self.smtp_port) and is_port_taken(self.web_port)):
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def send(self, message: EmailMessage) -> None:
        with smtplib.SMTP("127.0.0.1", self.smtp_port) as client:
            client.send_message(message)

    def kept(self) -> Store:
        return Store(self.home / "mailbox")


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    running = Mailbox(tmp_path)
    yield running
    running.process.kill()
    running.process.wait()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "mailbox")
    yield store
    store.close()


@pytest.fixture
def browser(store: Store) -> FlaskClient:
    return make_app(store).test_client()


def a_mail(to: str = "ada@example.com", subject: str = "Payout", html: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "ates@uberpopug.example"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = f"<payout-of-{to}>"
    message.set_content("You were paid 12.00\n")
    if html:
        message.add_alternative(html, subtype="html")
    return message


def received(message: EmailMessage | bytes, *recipients: str) -> Message:
    content = message if isinstance(message, bytes) else message.as_bytes()
    lines = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return Message("ates@uberpopug.example", list(recipients), lines, NOW)


def test_a_mail_is_a_file_as_soon_as_it_was_accepted(mailbox: Mailbox) -> None:
    mailbox.send(a_mail(subject="Ünïcode ✓ payout"))
    mailbox.process.send_signal(signal.SIGKILL)
    mailbox.process.wait()

    [file] = (mailbox.home / "mailbox" / "messages").iterdir()
    kept = mailbox.kept()
    [row] = kept.page()

    assert (row.subject, row.recipients) == ("Ünïcode ✓ payout", "ada@example.com")
    assert file.name == row.file
    assert file.read_bytes() == kept.content(row)
    assert file.read_bytes().startswith(b"Return-Path: <ates@uberpopug.example>\r\nDelivered-To")
    kept.close()


def test_mail_stays_through_a_restart(mailbox: Mailbox) -> None:
    mailbox.send(a_mail())
    mailbox.process.terminate()
    assert mailbox.process.wait() == 0

    mailbox.start()
    mailbox.send(a_mail(to="bob@example.com"))

    kept = mailbox.kept()
    assert [row.recipients for row in kept.page()] == ["bob@example.com", "ada@example.com"]
    kept.close()


def test_a_mail_that_is_too_large_is_refused(mailbox: Mailbox) -> None:
    message = a_mail()
    message.set_content("x" * 70 + "\n" * 1)
    message.add_attachment(b"0" * MESSAGE_BYTES_MAX, maintype="application", subtype="zip")

    with pytest.raises(smtplib.SMTPException, match="size"):
        mailbox.send(message)

    kept = mailbox.kept()
    assert kept.count() == (0, 0)
    kept.close()


def test_a_file_that_was_lost_is_written_again(tmp_path: Path) -> None:
    first = Store(tmp_path)
    first.keep([received(a_mail(), "ada@example.com"), received(a_mail(), "bob@example.com")])
    first.close()
    lost, short = sorted((tmp_path / "messages").iterdir())
    contents = [lost.read_bytes(), short.read_bytes()]
    lost.unlink()
    short.write_bytes(b"half")

    Store(tmp_path).close()

    assert [lost.read_bytes(), short.read_bytes()] == contents


def test_the_list_is_newest_first_in_pages_and_searched_by_recipient(
    store: Store, browser: FlaskClient
) -> None:
    store.keep([received(a_mail(subject=f"Mail {n}"), f"w{n}@example.com") for n in range(120)])

    first, last = browser.get("/").text, browser.get("/?page=3").text
    found = browser.get("/?to=w7@").text

    assert first.index("Mail 119") < first.index("Mail 118")
    assert first.count("/messages/") == PAGE_ROWS
    assert last.count("/messages/") == 120 - 2 * PAGE_ROWS
    assert "120 messages" in first
    assert "1 message" in found
    assert "Mail 7<" in found


def test_a_percent_sign_searches_for_itself(store: Store, browser: FlaskClient) -> None:
    store.keep([received(a_mail(), "ada@example.com"), received(a_mail(), "a%b!_@example.com")])

    assert "1 message to" in browser.get("/?to=a%25b!_").text


def test_the_same_message_id_twice_is_counted_once(store: Store, browser: FlaskClient) -> None:
    store.keep([received(a_mail(), "ada@example.com")] * 2)

    assert store.count() == (2, 1)
    assert "2 messages, 1 different Message-IDs" in browser.get("/").text


def test_markup_in_a_mail_is_shown_not_run(store: Store, browser: FlaskClient) -> None:
    evil = "<script>alert(1)</script>"
    store.keep([received(a_mail(subject=evil, html=f"<p>Hi</p>{evil}"), f'"{evil}"@example.com')])

    pages = [browser.get("/"), browser.get("/messages/1")]
    html = browser.get("/messages/1/html")

    assert all(evil not in page.text for page in pages)
    assert all("default-src 'none'" in page.headers["Content-Security-Policy"] for page in pages)
    assert all("script-src" not in page.headers["Content-Security-Policy"] for page in pages)
    assert "<p>Hi</p>" in html.text
    assert "sandbox;" in html.headers["Content-Security-Policy"]
    assert html.headers["X-Content-Type-Options"] == "nosniff"


def test_the_raw_message_can_be_downloaded(store: Store, browser: FlaskClient) -> None:
    store.keep([received(a_mail(), "ada@example.com")])

    answer = browser.get("/messages/1/file")

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.data.endswith(b"You were paid 12.00\r\n")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no header at all",
        b"Subject: =?unknown-charset?B?////?=\r\n\r\nx",
        b"Subject: \xff\xfe\r\nMessage-ID:\r\n\r\n\xff\xfe",
        b"Content-Type: text/plain; charset=klingon\r\n\r\nbody",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\nno parts",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
    ],
)
def test_a_malformed_mail_is_kept_and_shown(store: Store, browser: FlaskClient, raw: bytes) -> None:
    store.keep([Message("", ["ada@example.com"], raw, NOW)])

    for path in ("/", "/messages/1", "/messages/1/html", "/messages/1/file"):
        assert browser.get(path).status_code == 200, path


@pytest.mark.parametrize("path", ["/messages/999", "/messages/x", "/nothing"])
def test_what_is_not_there_is_404(browser: FlaskClient, path: str) -> None:
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize("page", ["0", "-1", "x", "999999999999999999999"])
def test_an_odd_page_number_is_harmless(browser: FlaskClient, page: str) -> None:
    assert browser.get(f"/?page={page}").status_code == 200


def test_another_site_cannot_read_the_mail_through_its_own_name(browser: FlaskClient) -> None:
    assert browser.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_ready_means_the_store_answers(browser: FlaskClient) -> None:
    assert browser.get("/health").text == "ok\n"
