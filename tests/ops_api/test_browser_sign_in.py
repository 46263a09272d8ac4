"""From nobody to signed in, in a real browser: a link by mail, a forgotten password, sessions."""

import datetime as dt
import random
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from ates.embedded.process import free_port
from ops_api.auth import passwords
from ops_api.auth.sessions import start_session
from pipelines.mail.database import open_engine
from pipelines.mail.letters import send_letters
from pipelines.mail.post import Desk
from pipelines.mail.smtp import SmtpServer
from tests.axe import violations
from tests.ops_api.site import DESK, PHONE, Site
from tests.pipelines.smtp_sink import SmtpSink

PASSWORD = "correct horse battery"
NEW_PASSWORD = "nine lives of a purple kettle"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"

pytestmark = pytest.mark.browser


class Post:
    """The mail office, and the people's mailboxes."""

    def __init__(self, site: Site, sink: SmtpSink) -> None:
        self.sink = sink
        self.desk = Desk(
            engine=open_engine(site.world.engine.url.render_as_string(hide_password=False)),
            server=SmtpServer.from_url(sink.url),
            mail_from="ates@uberpopug.example",
            clock=site.world.clock,
            rng=random.Random(1),
        )

    def link(self) -> str:
        """The link in the mail that comes now."""
        assert send_letters(self.desk, budget_seconds=30) == 1
        html = self.sink.mails[-1].get_body(("html",))
        assert html is not None
        found = re.search(r'class="button" href="([^"]+)"', html.get_content())
        assert found is not None
        return found[1]


@pytest.fixture
def post(site: Site) -> Iterator[Post]:
    """A mail office whose server is real and keeps what it gets."""
    sink = SmtpSink(free_port())
    sink.start()
    post = Post(site, sink)
    yield post
    post.desk.engine.dispose()
    sink.stop()


def choose(page: Page, password: str, again: str | None = None) -> None:
    """Fill in a new password twice, and send it."""
    page.get_by_label("New password").fill(password)
    page.get_by_label("The same again").fill(again or password)
    page.locator("main form button").click()


def test_who_is_added_gets_a_mail_and_signs_in_by_its_link(site: Site, post: Post) -> None:
    admin = site.open(site.world.employee("admin"), "/employees/new")
    admin.get_by_label("Name").fill("Polly Popug")
    admin.get_by_label("E-mail").fill("polly@example.com")
    admin.get_by_role("button", name="Add").click()
    expect(
        admin.get_by_text("A mail with a link to choose a password is on its way.")
    ).to_be_visible()

    link = post.link()
    polly = site.open(None, link.removeprefix(site.url))
    choose(polly, "Polly Popug 2026")
    expect(polly.get_by_role("alert")).to_contain_text("Your name or e-mail address")
    choose(polly, NEW_PASSWORD, "something else")
    expect(polly.get_by_role("alert")).to_contain_text("not the same")
    choose(polly, NEW_PASSWORD)

    expect(polly.get_by_role("heading", name="My tasks")).to_be_visible()
    assert polly.url == f"{site.url}/"
    admin.reload()
    expect(admin.get_by_text("Last sign-in:")).to_be_visible()
    late = site.open(None, link.removeprefix(site.url))
    expect(late.get_by_role("alert")).to_contain_text("does not work any more")
    late.get_by_role("link", name="Send me a new link").click()
    expect(late.get_by_role("heading", name="Forgot password?")).to_be_visible()


def test_a_forgotten_password_is_replaced_without_scripts(site: Site, post: Post) -> None:
    worker = site.world.employee(password_hash=passwords.hash_password(PASSWORD))
    page = site.open(None, "/tasks/new", java_script_enabled=False)
    page.get_by_role("link", name="Forgot password?").click()
    page.get_by_label("E-mail").fill(worker.email)
    page.get_by_role("button", name="Send me a link").click()
    assert "a link is on its way there" in page.locator("#messages").inner_text()

    page.goto(post.link())
    choose(page, NEW_PASSWORD)
    assert page.locator("h1").inner_text() == "New task", "where the sign-in had come between"
    page.locator("#account-menu summary").click()
    page.get_by_role("link", name="Change password").click()
    page.get_by_label("Present password").fill(NEW_PASSWORD)
    choose(page, PASSWORD)
    assert "Your password is changed." in page.locator("#messages").inner_text()
    page.locator("#account-menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail").fill(worker.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    assert page.locator("h1").inner_text() == "My tasks"


def test_an_unknown_session_is_ended(site: Site) -> None:
    worker = site.world.employee()
    elsewhere = site.open(worker, user_agent=FIREFOX)
    site.world.clock.forward(minutes=1)
    page = site.open(worker)
    with site.world.engine.begin() as connection:
        start_session(
            connection,
            employee_id=worker.employee_id,
            now=site.world.clock() - dt.timedelta(minutes=5),
            user_agent=FIREFOX,
        )
    page.locator("#account-menu summary").click()
    page.get_by_role("link", name="My sessions").click()
    expect(page.get_by_role("listitem").filter(has_text="this one")).to_have_count(1)

    page.get_by_role("button", name="End: Firefox, Linux").first.click()
    expect(page.get_by_text("1 session was ended.")).to_be_visible()
    page.get_by_role("button", name="End all others").click()

    expect(page.get_by_text("1 session was ended.")).to_be_visible()
    expect(page.get_by_role("button", name="End all others")).to_have_count(0)
    elsewhere.reload()
    expect(elsewhere).to_have_url(re.compile("/login"))


@pytest.mark.parametrize(
    ("scheme", "viewport", "locale"), [("light", DESK, "en-GB"), ("dark", PHONE, "ru-RU")]
)
def test_every_page_is_accessible_and_fits(
    site: Site, post: Post, scheme: str, viewport: dict[str, int], locale: str
) -> None:
    worker = site.world.employee()
    look = {"color_scheme": scheme, "viewport": viewport, "locale": locale}
    stranger, own = site.open(None, "/forgot-password", **look), site.open(worker, **look)
    site.open(worker, user_agent=FIREFOX)
    stranger.locator("#email").fill(worker.email)
    stranger.locator("main form button").click()
    found = {"asked": broken(stranger, viewport)}
    paths = {
        stranger: ["/forgot-password", "/set-password?token=x", post.link()],
        own: ["/password", "/sessions"],
    }
    for page, theirs in paths.items():
        for path in theirs:
            page.goto(path if path.startswith(site.url) else site.url + path)
            found[path] = broken(page, viewport)

    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def broken(page: Page, viewport: dict[str, int]) -> object:
    """What is not accessible, or how much wider than the window the page is."""
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return violations(page) or max(0, width - viewport["width"])
