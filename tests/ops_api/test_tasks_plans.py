"""How PostgreSQL finds tasks: every list and count among many goes by an index."""

import time
from collections.abc import Callable, Iterator
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine, text

from ops_api.database import create_engine
from ops_api.employees.queries import FIRST, list_after
from ops_api.tasks.history import today_of
from ops_api.tasks.queries import (
    Filter,
    count_all_tasks,
    count_open_tasks,
    count_own_tasks,
    page_of_all_tasks,
    page_of_own_tasks,
)
from tests.ops_api.conftest import MONDAY_NOON, World
from tests.statements import listening

COUNT_TASKS = 20_000
COUNT_WORKERS = 40
PAGE = 50

FILL = text("""
insert into tasks (
    task_id, title, status, assignee_id, fee_cents, reward_cents, assignment_number, version,
    created_by, created_at, completed_at
)
select uuidv7(age), 'Sweep the roof, count the parrots and write it down, number ' || n,
    case n / 100 % 2 when 0 then 'open' else 'done' end,
    ids[1 + n % cardinality(ids)], 1500, 3000, 1, 3, ids[1], now() + age,
    case n / 100 % 2 when 0 then null else now() + age / 2 end
from generate_series(1, :count) as n, make_interval(mins => n - :count) as age,
    (select array_agg(employee_id) as ids from employees) as staff
""")

# A business day has events of everybody, and everybody has events of many days.
FILL_LOG = text("""
insert into event_log (
    position, event_id, type, version, topic, subject, sequence, occurred_at, business_date,
    correlation_id, fee_cents, body, employee_id
)
select 1000000 + n, gen_random_uuid(), 'task.assigned', 1, 'tasks', 'plans' || n, 1, now(),
    :monday - cast(n / 400 as integer), gen_random_uuid(), 1500, '{}', ids[1 + n % cardinality(ids)]
from generate_series(1, :count) as n,
    (select array_agg(employee_id) as ids from employees) as staff
""")
VACUUM = text("vacuum analyze tasks, event_log")
COUNT_PAGES_TO_VACUUM = text("""
select count(*) from pg_class
where relname in ('tasks', 'event_log') and relallvisible < relpages
""")
VACUUM_SECONDS_MAX = 10

Query = Callable[[Connection, UUID], object]
OPEN, DONE = "tasks_open_idx", "tasks_done_idx"
# Each with the indexes that serve it.
QUERIES: dict[str, tuple[Query, set[str]]] = {
    "one's open tasks": (lambda each, who: own(each, who, "open"), {OPEN}),
    "one's done tasks": (lambda each, who: own(each, who, "done"), {DONE}),
    "one's tasks with words": (lambda each, who: own(each, who, "open", words="Zebra"), {OPEN}),
    "one's counts": (count_own_tasks, {OPEN, DONE}),
    "all tasks": (lambda each, _: of_all(each), {"tasks_pkey"}),
    "all open tasks": (lambda each, _: of_all(each, status="open"), {"tasks_pkey"}),
    "somebody's open tasks": (
        lambda each, who: of_all(each, status="open", assignee_id=who),
        {OPEN},
    ),
    "count of somebody's tasks": (
        lambda each, who: count_all_tasks(each, Filter(assignee_id=who)),
        {OPEN, DONE},
    ),
    "count of somebody's tasks with words": (
        lambda each, who: count_all_tasks(each, Filter(assignee_id=who, words="zebra")),
        {OPEN, DONE},
    ),
    "count of open tasks": (lambda each, _: count_open_tasks(each), {OPEN}),
    "count of done tasks": (lambda each, _: count_all_tasks(each, Filter(status="done")), {DONE}),
    "employees with their open tasks": (
        lambda each, _: list_after(each, after=FIRST, limit=PAGE),
        {OPEN},
    ),
    "one's day": (
        lambda each, who: today_of(each, who, now=MONDAY_NOON, zone=ZoneInfo("UTC")),
        {"event_log_employee_id_idx"},
    ),
}


def own(connection: Connection, who: UUID, status: str, words: str = "") -> list[int]:
    """Two pages of one's own tasks; how long each is."""
    first = page_of_own_tasks(connection, who, status, words=words, limit=PAGE)
    if first.next_cursor is None:
        return [len(first.tasks)]
    cursor = first.next_cursor
    again = page_of_own_tasks(connection, who, status, words=words, cursor=cursor, limit=PAGE)
    assert again.tasks[0].task_id not in {each.task_id for each in first.tasks}
    return [len(first.tasks), len(again.tasks)]


def of_all(connection: Connection, **which: object) -> int:
    return len(page_of_all_tasks(connection, Filter(**which), limit=PAGE).tasks)  # type: ignore[arg-type]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database of one's own: in a shared one others' sessions keep pages from being marked."""
    made = create_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def many(world: World, engine: Engine) -> UUID:
    """Many tasks of many workers; gives one of them."""
    workers = [world.employee() for _ in range(COUNT_WORKERS)]
    with engine.begin() as connection:
        connection.execute(FILL, {"count": COUNT_TASKS})
        connection.execute(FILL_LOG, {"count": COUNT_TASKS, "monday": MONDAY_NOON.date()})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        deadline = time.monotonic() + VACUUM_SECONDS_MAX
        connection.execute(VACUUM)
        # The server's own look at another table, just then, keeps pages from being marked.
        while connection.scalar(COUNT_PAGES_TO_VACUUM) and time.monotonic() < deadline:
            time.sleep(0.2)
            connection.execute(VACUUM)
    return workers[0].employee_id


def plans(connection: Connection, run: Callable[[Connection], object]) -> str:
    """How PostgreSQL carries out every statement that `run` sends."""
    sent: list[tuple[str, object]] = []
    with listening(connection, lambda *statement: sent.append(statement)):
        run(connection)
    assert sent
    return "\n".join(
        line
        for statement, values in sent
        for (line,) in connection.exec_driver_sql(f"explain {statement}", values)  # type: ignore[arg-type]
    )


def test_every_list_and_count_goes_by_an_index(many: UUID, engine: Engine) -> None:
    wrong: dict[str, str] = {}
    with engine.connect() as connection:
        for name, (query, indexes) in QUERIES.items():
            plan = plans(connection, lambda each, query=query: query(each, many))  # type: ignore[misc]
            is_served = all(index in plan for index in indexes)
            if not is_served or "Seq Scan on tasks" in plan or "Sort Key: tasks" in plan:
                wrong[name] = plan

    assert not wrong, "\n\n".join(f"{name}:\n{plan}" for name, plan in wrong.items())


def test_only_words_alone_are_looked_for_everywhere(many: UUID, engine: Engine) -> None:
    # Without pg_trgm no index finds a part of a word; the plan above must notice such a scan.
    with engine.connect() as connection:
        plan = plans(connection, lambda each: count_all_tasks(each, Filter(words="zebra")))

    assert "Seq Scan on tasks" in plan
