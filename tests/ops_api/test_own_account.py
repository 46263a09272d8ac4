"""One's own password and sessions: over the API, and on pages without scripts."""

import hashlib

import pytest
from flask import Flask

from ops_api.auth import passwords
from ops_api.auth.agents import device_of
from ops_api.auth.limits import PASSWORDS
from ops_api.auth.password_rules import require_good
from ops_api.auth.sessions import start_session
from ops_api.employees.models import Employee
from ops_api.errors import UnacceptableError
from ops_api.web.guard import COOKIE
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, nobody, signed_in, slug

PASSWORD = "correct horse battery"
NEW_PASSWORD = "nine lives of a purple kettle"
SESSIONS = "/api/v1/me/sessions"
CHANGE = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}


@pytest.fixture(scope="module")
def password_hash() -> str:
    """One hash for all; making it takes a while."""
    return passwords.hash_password(PASSWORD)


@pytest.fixture
def polly(app: Flask, world: World, password_hash: str) -> Client:
    """Somebody signed in whose password is PASSWORD."""
    return again(app, world, world.employee(password_hash=password_hash))


def again(app: Flask, world: World, employee: Employee | None, user_agent: str = "") -> Client:
    """The same person in another browser."""
    assert employee is not None
    with world.engine.begin() as connection:
        session_id = start_session(
            connection,
            employee_id=employee.employee_id,
            now=world.clock(),
            address="10.0.0.9",
            user_agent=user_agent,
        )
    client = Client(app.test_client(), employee)
    client.http.set_cookie(COOKIE, session_id)
    return client


def cookie(client: Client) -> str:
    found = client.http.get_cookie(COOKIE)
    assert found is not None
    return found.value


def test_a_new_password_ends_every_session_and_this_one_has_a_new_id(
    app: Flask, world: World, polly: Client
) -> None:
    other, before = again(app, world, polly.employee), cookie(polly)
    assert polly.employee is not None

    response = polly.send("/api/v1/me/password", CHANGE, key="", method="PUT")

    assert response.status_code == 204
    assert "HttpOnly" in response.headers["Set-Cookie"]
    assert cookie(polly) != before
    assert polly.get("/api/v1/me").status_code == 200
    assert other.get("/api/v1/me").status_code == 401
    polly.http.set_cookie(COOKIE, before)
    assert polly.get("/api/v1/me").status_code == 401
    credentials = {"email": polly.employee.email, "password": NEW_PASSWORD}
    assert nobody(app).send("/api/v1/session", credentials, key="").status_code == 201
    kept = str(world.one("select string_agg(event || detail, ' ') from security_events"))
    assert "password_changed" in kept
    assert NEW_PASSWORD not in kept


def test_a_wrong_present_password_is_refused_and_guessing_it_takes_ever_longer(
    world: World, polly: Client
) -> None:
    wrong = CHANGE | {"current_password": "wrong"}
    for _ in range(PASSWORDS.free_tries_of_pair + 1):
        refused = polly.send("/api/v1/me/password", wrong, key="", method="PUT")
        assert (refused.status_code, slug(refused)) == (403, "wrong-password")

    refused = polly.send("/api/v1/me/password", CHANGE, key="", method="PUT")

    assert (refused.status_code, slug(refused)) == (429, "too-many-tries")
    assert refused.headers["Retry-After"] == "1"
    world.clock.forward(seconds=2)
    assert polly.send("/api/v1/me/password", CHANGE, key="", method="PUT").status_code == 204
    assert polly.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(
    ("password", "reason"),
    [("short of it", "length"), ("x1y" * 50, "length"), ("\ud800" * 12, "unprintable"),
     ("twelve\0characters", "unprintable"), ("my name is PollyPopug!", "personal"),
     ("polly@example.com?", "personal"), ("Ada.Polly-7 ada.polly-7", "personal"),
     ("passwordpassword", "common"), ("123456789012", "common"), ("iloveyou1234", "common"),
     ("qwertyuiopas", "common"), ("aaaaaaaaaaaa", "common")],
)  # fmt: skip
def test_a_bad_password_is_refused_with_its_reason(password: str, reason: str) -> None:
    email = "ada.polly-7@example.com" if "Ada" in password else "polly@example.com"

    with pytest.raises(UnacceptableError) as refused:
        require_good(password, name="Polly Popug", email=email)

    assert refused.value.slug == f"password-{reason}"


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        NEW_PASSWORD,
        "xK2-vR9_qLm4aB",
        "длинная фраза попугая",
        hashlib.sha512(b"").hexdigest(),
    ],
)
def test_several_words_or_what_a_browser_makes_up_will_do(password: str) -> None:
    require_good(password, name="Al", email="a@example.com")


def test_a_bad_new_password_changes_nothing(world: World, polly: Client) -> None:
    before = cookie(polly)

    refused = polly.send(
        "/api/v1/me/password", CHANGE | {"new_password": "password1234"}, key="", method="PUT"
    )

    assert (refused.status_code, slug(refused)) == (422, "password-common")
    assert cookie(polly) == before
    assert polly.get("/api/v1/me").status_code == 200


def test_own_sessions_are_listed_and_ended_and_nobody_else_s(
    app: Flask, world: World, polly: Client
) -> None:
    other = again(app, world, polly.employee, "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
    stranger = signed_in(app, world)
    world.clock.forward(minutes=2)
    mine = polly.get(SESSIONS).get_json()["sessions"]
    assert [(each["is_current"], each["address"]) for each in mine] == [
        (True, "10.0.0.9"), (False, "10.0.0.9"),
    ]  # fmt: skip
    (own, foreign) = mine[0]["handle"], stranger.get(SESSIONS).get_json()["sessions"][0]["handle"]

    ended = polly.send(f"{SESSIONS}/{mine[1]['handle']}", method="DELETE", key="")
    again_ended = polly.send(f"{SESSIONS}/{mine[1]['handle']}", method="DELETE", key="")
    refused = [polly.send(f"{SESSIONS}/{each}", method="DELETE", key="") for each in (own, foreign)]

    assert ended.status_code == 204
    assert other.get("/api/v1/me").status_code == 401
    assert slug(again_ended) == "no-such-session"
    assert [slug(each) for each in refused] == ["own-session", "no-such-session"]
    assert stranger.get("/api/v1/me").status_code == 200


def test_all_other_sessions_end_at_once(app: Flask, world: World, polly: Client) -> None:
    others = [again(app, world, polly.employee) for _ in range(2)]

    response = polly.send(SESSIONS, method="DELETE", key="")

    assert response.get_json() == {"count_sessions": 2}
    assert [each.get("/api/v1/me").status_code for each in (*others, polly)] == [401, 401, 200]


def test_the_pages_do_the_same_with_plain_forms(app: Flask, world: World, polly: Client) -> None:
    again(app, world, polly.employee, "curl/8.1 " + "x" * 99)
    page = polly.page("/sessions").text
    assert "curl/8.1" in page
    assert page.count("this one") == 1
    sent = polly.submit(
        "/sessions/end-others", polly.form(polly.page("/sessions"), "/sessions/end-others")
    )
    assert "1 session was ended." in polly.page(sent.location or "").text

    form = polly.form(polly.page("/password"), "/password")
    fields = {"current": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    refusals = [
        polly.submit("/password", form | fields | {"again": "other"}),
        polly.submit("/password", form | fields | {"current": "wrong"}),
    ]
    assert [each.status_code for each in refusals] == [422, 403]
    assert "not the same" in refusals[0].text
    saved = polly.submit("/password", form | fields)
    assert "Your password is changed." in polly.page(saved.location or "").text


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [("Mozilla/5.0 (Windows NT 10.0) Chrome/141.0 Safari/537.36 Edg/141.0", "Edge, Windows"),
     ("Mozilla/5.0 (iPhone; CPU like Mac OS X) Version/19.0 Safari/604", "Safari, iPhone"),
     ("Mozilla/5.0 (Linux; Android 16) Chrome/141.0 Safari/537.36", "Chrome, Android"),
     ("Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Firefox/144.0", "Firefox, Linux"),
     ("python-requests/2.32", "python-requests/2.32"), ("Firefox/1", "Firefox"), ("", "")],
)  # fmt: skip
def test_a_browser_is_told_in_words(user_agent: str, device: str) -> None:
    assert device_of(user_agent) == device
