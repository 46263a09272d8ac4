"""Everybody's tasks: what a filter means, on the page, on the next one and in the file."""

import csv
import html
import io
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from ops_api.tasks import pages_all
from ops_api.tasks.commands import create_task
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, signed_in


@pytest.fixture
def manager(app: Flask, world: World) -> Client:
    """A signed-in manager."""
    return signed_in(app, world, "manager")


def fill(world: World, client: Client, *titles: str) -> None:
    assert client.employee is not None
    for title in titles:
        world.clock.forward(seconds=1)
        world.run(create_task, client.employee.employee_id, title=title)


def links(page: str, words: str) -> list[str]:
    """The addresses behind links of that text."""
    found = re.findall(rf'href="([^"]+)"[^>]*>{re.escape(words)}<', page)
    return [html.unescape(each) for each in found]


def exported(client: Client, address: str) -> list[dict[str, str]]:
    response = client.get(address)
    assert (response.status_code, response.mimetype) == (200, "text/csv")
    return list(csv.DictReader(io.StringIO(response.text)))


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pages of two tasks, in the file as well."""
    monkeypatch.setattr(pages_all, "PAGE_TASKS", 2)
    monkeypatch.setattr(pages_all, "EXPORT_PAGE_TASKS", 2)
    return


@pytest.mark.usefixtures("small_pages")
def test_filters_stay_in_every_link_and_in_the_file(world: World, manager: Client) -> None:
    worker = world.employee()
    fill(world, manager, "roof 1", "perch", "roof 2", "roof 3")
    asked = f"words=roof&status=open&assignee={worker.email}"
    titles: list[str] = []
    address = f"/tasks?{asked}"
    for _ in range(2):
        page = manager.page(address).text
        assert "3 tasks" in page
        titles += re.findall(r"data-row-link>(.*?)<", page)
        (export,) = links(page, "Export CSV")
        assert parse_qs(urlsplit(export).query) == parse_qs(asked)
        older = links(page, "Older tasks")
        address = older[0] if older else address
        assert parse_qs(asked).items() <= parse_qs(urlsplit(address).query).items()

    assert titles == ["roof 3", "roof 2", "roof 1"]
    assert [row["title"] for row in exported(manager, export)] == titles
    assert {row["assignee"] for row in exported(manager, export)} == {worker.name}


def test_a_name_that_means_nobody_or_several_is_said_and_not_exported(
    world: World, manager: Client
) -> None:
    several = [world.employee(), world.employee()]
    fill(world, manager, "roof")
    for assignee, words in (("Nobody at all", "Nobody has such a name"), ("opug", "Whom do you")):
        page = manager.page(f"/tasks?assignee={assignee}").text
        answer = manager.page(f"/tasks.csv?assignee={assignee}")

        assert words in page
        assert "Export CSV" not in page
        assert (answer.status_code, answer.mimetype) == (422, "text/html")
        assert words in answer.text
    for each in several:
        assert f'">{each.name}</a>' in page


@pytest.mark.parametrize(
    "title",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\N{FULLWIDTH EQUALS SIGN}1",
        '=HYPERLINK("http://x")',
        'a,"b',
    ],
)
def test_no_title_is_a_formula_in_a_spreadsheet(world: World, manager: Client, title: str) -> None:
    world.employee()
    fill(world, manager, title)

    (row,) = exported(manager, "/tasks.csv")

    assert row["title"] == (title if title.startswith("a") else f"'{title}")
    assert re.fullmatch(r"\d{4}", row["fee_cents"])


def test_a_name_is_no_formula_either(world: World, manager: Client) -> None:
    worker = world.employee()
    fill(world, manager, "roof")
    with world.engine.begin() as connection:
        connection.exec_driver_sql(
            "update employees set name = '=1' where employee_id = %s", (str(worker.employee_id),)
        )

    assert exported(manager, "/tasks.csv")[0]["assignee"] == "'=1"


def test_without_a_task_the_page_says_so_and_the_file_has_its_header(manager: Client) -> None:
    assert "There is no task yet" in manager.page("/tasks").text
    assert "No task is like that" in manager.page("/tasks?words=zebra").text
    assert manager.get("/tasks.csv").text.startswith("task_id,jira_id,title,status,assignee,")
