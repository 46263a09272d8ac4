"""The tracker's pages in a real browser: mouse, keyboard, two tabs, a phone, no scripts at all."""

import random
import re
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from ops_api.employees.commands import Changes, change_employee
from tests.axe import violations
from tests.ops_api.site import DESK, PHONE, WAIT_MILLISECONDS_MAX, Site

TRANSFERRED_BYTES_MAX = 80_000
# A page asks every five seconds whether its list has changed.
POLLED_MILLISECONDS = 15_000

pytestmark = pytest.mark.browser


def rows(page: Page) -> list[str]:
    """The titles in the list, from above."""
    return page.locator("[data-row-link]").all_inner_texts()


def focused(page: Page) -> str:
    """The text of what has the focus."""
    text: str = page.evaluate("document.activeElement.innerText")
    return text.strip()


def test_a_day_with_the_mouse(site: Site) -> None:
    worker = site.world.employee()
    page = site.open(worker)
    expect(page.get_by_text("Nothing to do right now")).to_be_visible()

    page.get_by_role("link", name="New task").click()
    page.get_by_label("What is to be done?").press_sequentially("[popug-7] - Sweep", delay=5)
    expect(page.locator("#preview .jira")).to_have_text("POPUG-7")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text(f"“Sweep” went to {worker.name}")).to_be_visible()
    assert page.url.endswith("/tasks/new"), "no new page was loaded"
    expect(page.get_by_label("What is to be done?")).to_have_value("")
    expect(page.get_by_label("What is to be done?")).to_be_focused()
    assert page.locator("#today .amount").inner_text().startswith("\N{MINUS SIGN}")

    page.get_by_role("link", name="My tasks").click()
    page.get_by_role("button", name="Done Sweep").click()
    expect(page.get_by_text("“Sweep” is done: +")).to_be_visible()
    assert rows(page) == []
    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="Sweep").click()
    expect(page.locator("ol li")).to_have_count(3)
    # the reader's zone is nine hours ahead of the business zone's
    shown = page.locator("time").first
    moment = page.evaluate("at => new Date(at).toLocaleTimeString('en-GB').slice(0, 5)",
                           shown.get_attribute("datetime"))  # fmt: skip
    assert moment in shown.inner_text()


def test_a_day_with_the_keyboard(site: Site) -> None:
    worker = site.world.employee()
    site.tasks(worker, "first", "second", "third")
    page = site.open(worker)
    assert rows(page) == ["third", "second", "first"]

    page.keyboard.press("j")
    assert focused(page) == "third"
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert focused(page) == "second"
    page.keyboard.press("x")
    expect(page.locator("[data-row]")).to_have_count(2)
    page.wait_for_function("document.activeElement.innerText === 'first'")
    page.keyboard.press("x")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.wait_for_function("document.activeElement.innerText === 'third'")
    page.keyboard.press("x")
    expect(page.get_by_text("Nothing to do right now")).to_be_visible()
    page.wait_for_function("document.activeElement.id === 'main'")

    page.keyboard.press("/")
    page.keyboard.type("jjx?")
    assert page.locator("#words").input_value() == "jjx?"
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("/tasks/new$"))
    page.keyboard.type("typed at once")
    page.keyboard.press("Enter")
    expect(page.get_by_text("“typed at once” went to")).to_be_visible()


def test_a_second_tab_and_the_search_follow(site: Site) -> None:
    worker = site.world.employee()
    site.tasks(worker, "roof", "perch")
    context = site.context(worker)
    one, other = context.new_page(), context.new_page()
    for page in (one, other):
        page.goto(site.url)

    other.bring_to_front()
    other.locator("#words").fill("ro")
    expect(other.locator("[data-row]")).to_have_count(1)
    expect(other).to_have_url(re.compile("words=ro"))
    one.get_by_role("button", name="Done roof").click()
    expect(one.locator("[data-row]")).to_have_count(1)
    gone = other.get_by_text("No task of yours has “ro” in it.")
    expect(gone).to_be_visible(timeout=POLLED_MILLISECONDS)
    assert other.locator("#words").input_value() == "ro"


def test_who_completes_too_late_is_told_and_the_list_is_right(site: Site) -> None:
    worker = site.world.employee()
    site.tasks(worker, "roof", "perch")
    page = site.open(worker)
    stranger = site.world.employee()
    with site.world.engine.begin() as connection:
        connection.exec_driver_sql(
            "update tasks set assignee_id = %s where title = 'roof'", (str(stranger.employee_id),)
        )

    page.get_by_role("button", name="Done roof").click()

    expect(page.get_by_role("alert")).to_have_text("This task is assigned to somebody else.")
    assert rows(page) == ["perch"]


def test_a_manager_reassigns_and_filters(site: Site) -> None:
    manager, worker = site.world.employee("manager"), site.world.employee()
    site.tasks(manager, "roof", "perch", "=cmd")
    page = site.open(manager, "/tasks")

    page.get_by_text("Reassign 3 open tasks").click()
    page.get_by_role("button", name="Reassign them all").click()
    expect(page.get_by_text("3 open tasks were reassigned.")).to_be_visible()
    assert site.world.one("select min(assignment_number) from tasks") == 2
    page.locator("#words").fill("perch")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.locator("#words").fill("")
    page.locator("#assignee").fill("nobody at all")
    expect(page.get_by_text("Nobody has such a name")).to_be_visible()
    expect(page.get_by_role("link", name="Export CSV")).to_have_count(0)
    page.goto(f"{site.url}/tasks?assignee={worker.email}")
    expect(page.locator("[data-row]")).to_have_count(3)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    lines = download.value.path().read_text("utf-8").splitlines()
    assert len(lines) == 4
    assert ",,'=cmd,open," in lines[1]


def test_a_new_role_signs_out_everywhere_at_once(site: Site) -> None:
    worker = site.world.employee()
    page = site.open(worker)

    site.world.run(change_employee, employee_id=worker.employee_id, changes=Changes(role="manager"))

    expect(page).to_have_url(re.compile("/login"), timeout=WAIT_MILLISECONDS_MAX)


def test_without_scripts_everything_works(site: Site) -> None:
    worker = site.world.employee()
    page = site.open(worker, "/tasks/new", java_script_enabled=False)

    page.locator("#title").fill("[nest-1] Mend")
    page.get_by_role("button", name="Preview").click()
    assert page.locator("#preview .jira").inner_text() == "NEST-1"
    page.get_by_role("button", name="Create").click()
    assert "“Mend” went to" in page.locator("#messages").inner_text()
    page.goto(f"{site.url}/?words=mend")
    page.get_by_role("button", name="Done Mend").click()
    assert "“Mend” is done" in page.locator("#messages").inner_text()
    page.get_by_text("Language and theme").locator("..").click()
    page.locator("#language").select_option("ru")
    page.locator("#theme").select_option("dark")
    page.get_by_role("button", name="Apply").click()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    assert page.locator("h1").inner_text() == "Мои задачи"


@pytest.mark.parametrize(
    ("scheme", "viewport", "locale"), [("light", DESK, "en-GB"), ("dark", PHONE, "ru-RU")]
)
def test_every_page_is_accessible_and_fits(
    site: Site, scheme: str, viewport: dict[str, int], locale: str
) -> None:
    admin, worker = site.world.employee("admin"), site.world.employee()
    site.tasks(worker, "[popug-7] - roof", "A long title " * 20)
    task_id: UUID = site.world.one("select min(task_id::text) from tasks")  # type: ignore[assignment]
    look = {"color_scheme": scheme, "viewport": viewport, "locale": locale}
    found: dict[str, object] = {}
    paths = {
        None: ["/login"],
        worker: ["/", "/?status=done", "/?words=none", "/tasks/new?title=[a-1]x", "/none",
                 f"/tasks/{task_id}", "/employees"],
        admin: ["/", "/tasks", "/tasks?words=none", "/employees", "/employees/new", "/security",
                f"/employees/{worker.employee_id}"],
    }  # fmt: skip
    for employee, theirs in paths.items():
        page = site.context(employee, **look).new_page()
        for path in theirs:
            page.goto(site.url + path)
            width = page.evaluate("document.documentElement.scrollWidth")
            if (broken := violations(page)) or width > viewport["width"]:
                found[path] = broken or width

    assert found == {}


def test_the_first_page_is_small(site: Site) -> None:
    worker = site.world.employee()
    site.tasks(worker, *(f"[popug-{number}] - {random.random()}" for number in range(50)))
    context = site.context(worker)
    page = context.new_page()
    network = context.new_cdp_session(page)
    sizes: list[float] = []
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))

    page.goto(site.url)
    page.wait_for_load_state("networkidle")

    assert page.locator("[data-row]").count() == 50
    assert len(sizes) >= 8
    assert sum(sizes) < TRANSFERRED_BYTES_MAX
    assert refused == [], "nothing breaks the content security policy"
