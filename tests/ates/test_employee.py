"""`ates employee`: people are added, listed, and given new passwords or links."""

import re
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from ates.commands.employee import command
from ops_api.auth.passwords import is_correct
from ops_api.database import create_engine


class Shell:
    """Runs the command on a database of its own."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(command, arguments)

    def one(self, sql: str) -> object:
        engine = create_engine(self.database_url)
        try:
            with engine.connect() as connection:
                return connection.execute(text(sql)).scalar()
        finally:
            engine.dispose()


@pytest.fixture
def shell(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command line with the environment of the test's database."""
    for name in ("DATABASE_URL", "LAKE_CATALOG_URL", "DAGSTER_DATABASE_URL"):
        monkeypatch.setenv(name, database_url)
    monkeypatch.setenv("ATES_HOME", str(tmp_path / "home"))
    return Shell(database_url)


def password_in(result: Result) -> str:
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.output.splitlines() if line.startswith("password: ")]
    return line.removeprefix("password: ")


def test_somebody_is_added_with_a_password_shown_once(shell: Shell) -> None:
    password = password_in(shell.run("add", "Polly Popug", "polly@example.com", "--role", "admin"))

    stored = str(shell.one("select password_hash from employees"))
    assert len(password) >= 16
    assert is_correct(stored, password)
    assert password not in stored
    assert shell.one("select count(*) from outbox where type = 'employee.registered'") == 1


def test_the_list_shows_who_is_there(shell: Shell) -> None:
    shell.run("add", "Polly Popug", "polly@example.com")

    result = shell.run("list")

    (line,) = result.output.splitlines()
    assert line.split()[1:] == ["worker", "active", "polly@example.com", "Polly", "Popug"]


def test_a_new_password_replaces_the_old_one(shell: Shell) -> None:
    old = password_in(shell.run("add", "Polly Popug", "polly@example.com"))
    new = password_in(shell.run("password", "POLLY@example.com"))

    stored = str(shell.one("select password_hash from employees"))
    assert is_correct(stored, new)
    assert not is_correct(stored, old)


def test_a_link_is_printed_once_and_only_its_hash_is_kept(shell: Shell) -> None:
    shell.run("add", "Polly Popug", "polly@example.com")
    first, second = (shell.run("link", "POLLY@example.com") for _ in range(2))

    assert first.exit_code == 0, first.output
    token = re.search(
        r"http://127.0.0.1:8000/set-password\?token=([\w-]{43})$", second.stdout, re.M
    )
    assert token is not None
    assert first.stdout != second.stdout
    hashed = sha256(token[1].encode()).hexdigest()
    kept = shell.one("select encode(token_hash, 'hex') || coalesce(letter, '') from sign_in_links")
    assert kept == hashed


def test_what_was_done_in_a_shell_is_on_record_without_secrets(shell: Shell) -> None:
    secrets = [
        password_in(shell.run("add", "Polly Popug", "polly@example.com", "--role", "admin")),
        password_in(shell.run("password", "polly@example.com")),
        shell.run("link", "polly@example.com").stdout.strip()[-43:],
    ]

    assert shell.one(
        "select string_agg(event || ' by ' || actor || detail, ', ' order by event_id) "
        "from security_events join employees using (employee_id)"
    ) == (
        "registered by command linerole=admin, password_set by command line, "
        "link_made by command line"
    )
    kept = str(shell.one("select string_agg(security_events::text, '') from security_events"))
    assert not any(secret in kept for secret in secrets)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("add", "Other", "polly@example.com"), "has this address already"),
     (("add", "Other", "no address"), "not an e-mail address"),
     (("add", " ", "other@example.com"), "must not be empty"),
     (("add", "Other", "other@example.com", "--role", "boss"), "'boss' is not one of"),
     (("password", "nobody@example.com"), "nobody has the address"),
     (("link", "nobody@example.com"), "nobody has the address")],
)  # fmt: skip
def test_a_wrong_wish_is_refused_in_a_sentence(
    shell: Shell, arguments: tuple[str, ...], message: str
) -> None:
    shell.run("add", "Polly Popug", "polly@example.com")

    result = shell.run(*arguments)

    assert result.exit_code != 0
    assert message in result.output
    assert "Traceback" not in result.output
    assert shell.one("select count(*) from employees") == 1


def test_without_a_database_it_says_so(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg2://a:secret@127.0.0.1:1/none")

    result = shell.run("list")

    assert result.exit_code == 1
    assert "cannot use the database" in result.output
    assert "secret" not in result.output
