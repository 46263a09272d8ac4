"""Reading tasks."""

import base64
import binascii
import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Uuid, bindparam, text

from ops_api.errors import InvalidRequestError
from ops_api.tasks.models import DONE, OPEN, TASK_COLUMNS, Task

PAGE_TASKS_MAX = 200
CURSOR_LENGTH_MAX = 200

_COLUMNS = ", ".join(f"tasks.{name}" for name in TASK_COLUMNS)
_FAR_FUTURE = dt.datetime.max.replace(tzinfo=dt.UTC)
_LAST = UUID(int=2**128 - 1)  # sorts behind every id

_FIND = text(f"select {_COLUMNS} from tasks where task_id = :task_id")  # noqa: S608 - ours
_COUNTS = text("""
select
    (select count(*) from tasks where assignee_id = :assignee_id and status = 'open'),
    (select count(*) from tasks where assignee_id = :assignee_id and status = 'done')
""")
_COUNT_OPEN = text("select count(*) from tasks where status = 'open'")
# A part of the title or of the Jira id, in any case of letters; no pattern, so nothing to escape.
_HOLDS_WORDS = """(
    :words = '' or strpos(lower(title), lower(:words)) > 0
    or strpos(lower(coalesce(jira_id, '')), lower(:words)) > 0
)"""
# One statement per state, because each has an index of its own in the order of its list.
_OWN = {
    status: text(f"""
        select {_COLUMNS}, (
            select name from employees where employee_id = :assignee_id
        ) as assignee_name
        from tasks
        where assignee_id = :assignee_id and status = '{status}' and {_HOLDS_WORDS}
        and {is_before}
        order by {order} limit :limit
    """)  # noqa: S608 - the names are our own constants
    for status, is_before, order in (
        (OPEN, "task_id < :before_id", "task_id desc"),
        (
            DONE,
            "(completed_at, task_id) < (:before, :before_id)",
            "completed_at desc, task_id desc",
        ),
    )
}
# An assignee's tasks of both states are found in the indexes of either.
_FILTER = f"""
(status = :status or :status is null)
and (
    :assignee_id is null
    or assignee_id = :assignee_id and (status = '{OPEN}' or status = '{DONE}')
)
and {_HOLDS_WORDS}
"""
_ALL = text(f"""
select {_COLUMNS}, name as assignee_name from tasks join employees on employee_id = assignee_id
where task_id < :before_id and {_FILTER}
order by task_id desc limit :limit
""").bindparams(bindparam("assignee_id", type_=Uuid))  # noqa: S608 - the names are our own
_COUNT_ALL = text(
    f"select count(*) from tasks where {_FILTER}"  # noqa: S608 - our own constant
).bindparams(bindparam("assignee_id", type_=Uuid))


class ListedTask(Task, frozen=True, kw_only=True):
    """A task with the name of the employee who holds it or has done it."""

    assignee_name: str


class TaskPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some tasks, newest first, and the cursor with which to ask for the next ones."""

    tasks: list[ListedTask]
    next_cursor: str | None = None


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which of everybody's tasks; what is left out does not matter."""

    status: str | None = None
    assignee_id: UUID | None = None
    words: str = ""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks an employee has, open and done."""

    count_open: int
    count_done: int


def find_task(connection: Connection, task_id: UUID) -> Task | None:
    """The task with this id."""
    row = connection.execute(_FIND, {"task_id": task_id}).one_or_none()
    return None if row is None else Task(**row._mapping)


def count_own_tasks(connection: Connection, assignee_id: UUID) -> Counts:
    """How many tasks an employee has at this moment."""
    count_open, count_done = connection.execute(_COUNTS, {"assignee_id": assignee_id}).one()
    return Counts(count_open=count_open, count_done=count_done)


def count_open_tasks(connection: Connection) -> int:
    """How many tasks a reassignment would draw anew."""
    count: int = connection.execute(_COUNT_OPEN).scalar_one()
    return count


def count_all_tasks(connection: Connection, which: Filter) -> int:
    """How many of everybody's tasks there are of that kind."""
    count: int = connection.execute(_COUNT_ALL, msgspec.structs.asdict(which)).scalar_one()
    return count


def page_of_own_tasks(
    connection: Connection,
    assignee_id: UUID,
    status: str,
    *,
    words: str = "",
    cursor: str | None = None,
    limit: int = PAGE_TASKS_MAX,
) -> TaskPage:
    """An employee's open tasks by creation or done tasks by completion, newest first.

    `words` must occur in the title or the Jira id. Raises InvalidRequestError for a cursor that is
    none of ours.
    """
    before, before_id = _read_cursor(cursor)
    limits = {"before": before, "before_id": before_id, "limit": limit}
    rows = connection.execute(
        _OWN[status], {"assignee_id": assignee_id, "words": words} | limits
    ).all()
    return _page(rows, limit)


def page_of_all_tasks(
    connection: Connection,
    which: Filter,
    *,
    cursor: str | None = None,
    limit: int = PAGE_TASKS_MAX,
) -> TaskPage:
    """Everybody's tasks in the order of their ids, newest first."""
    _, before_id = _read_cursor(cursor)
    values = msgspec.structs.asdict(which) | {"before_id": before_id, "limit": limit}
    return _page(connection.execute(_ALL, values).all(), limit)


def _page(rows: Sequence[Row[tuple[object, ...]]], limit: int) -> TaskPage:
    found = [ListedTask(**row._mapping) for row in rows]
    return TaskPage(tasks=found, next_cursor=_cursor(found[-1]) if len(found) == limit else None)


def _cursor(task: Task) -> str:
    moment = task.completed_at or task.created_at
    return base64.urlsafe_b64encode(f"{moment.isoformat()}/{task.task_id}".encode()).decode()


def _read_cursor(cursor: str | None) -> tuple[dt.datetime, UUID]:
    if cursor is None:
        return _FAR_FUTURE, _LAST
    try:
        moment, _, task_id = (
            base64.b64decode(cursor[:CURSOR_LENGTH_MAX], altchars=b"-_", validate=True)
            .decode("ascii")
            .partition("/")
        )
        parsed = dt.datetime.fromisoformat(moment), UUID(task_id)
    except (ValueError, binascii.Error) as error:
        raise InvalidRequestError("bad-cursor", "That is no cursor of ours.") from error
    if parsed[0].tzinfo is None:
        raise InvalidRequestError("bad-cursor", "That is no cursor of ours.")
    return parsed
