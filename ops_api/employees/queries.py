"""Reading employees."""

import datetime as dt
from uuid import UUID

from sqlalchemy import Connection, text

from ops_api.employees.models import EMPLOYEE_COLUMNS, Employee

PAGE_EMPLOYEES_MAX = 1000
FIRST = UUID(int=0)  # sorts before every id

_COLUMNS = ", ".join(EMPLOYEE_COLUMNS)
_BY_ID = text(f"select {_COLUMNS} from employees where employee_id = :employee_id")  # noqa: S608 - ours
_BY_EMAIL = text(f"select {_COLUMNS} from employees where lower(email) = lower(:email)")  # noqa: S608 - ours
_PAGE = text(
    f"select {_COLUMNS} from employees "  # noqa: S608 - the column names are our own constants
    "where employee_id > :after order by employee_id limit :limit"
)
_WORDS = text(f"""
select {_COLUMNS} from employees
where strpos(lower(name), lower(:words)) > 0 or strpos(lower(email), lower(:words)) > 0
order by lower(name), employee_id limit :limit
""")  # noqa: S608 - the column names are our own constants
# With what admins look for in a list; the open tasks are counted in their own small index.
_LISTED = f"""
select {_COLUMNS}, last_sign_in_at, (
    select count(*) from tasks where assignee_id = employee_id and status = 'open'
) as count_open
from employees
"""  # noqa: S608 - the column names are our own constants
_LIST_AFTER = text(f"{_LISTED} where employee_id > :after order by employee_id limit :limit")
_LIST_FOUND = text(f"""
{_LISTED}
where strpos(lower(name), lower(:words)) > 0 or strpos(lower(email), lower(:words)) > 0
order by lower(name), employee_id limit :limit
""")


class ListedEmployee(Employee, frozen=True, kw_only=True):
    """An employee with the last sign-in and the number of open tasks."""

    last_sign_in_at: dt.datetime | None
    count_open: int


def list_after(connection: Connection, *, after: UUID, limit: int) -> list[ListedEmployee]:
    """Employees in the order of their registration, after a given one."""
    rows = connection.execute(_LIST_AFTER, {"after": after, "limit": limit})
    return [ListedEmployee(**row._mapping) for row in rows]


def list_found(connection: Connection, words: str, *, limit: int) -> list[ListedEmployee]:
    """Employees with these words in name or address, by name."""
    rows = connection.execute(_LIST_FOUND, {"words": words, "limit": limit})
    return [ListedEmployee(**row._mapping) for row in rows]


def find_employees(connection: Connection, words: str, *, limit: int) -> list[Employee]:
    """Employees, active or not, with these words in name or address, by name."""
    rows = connection.execute(_WORDS, {"words": words, "limit": limit})
    return [Employee(**row._mapping) for row in rows]


def find_employee(connection: Connection, employee_id: UUID) -> Employee | None:
    """The employee with this id, active or not."""
    row = connection.execute(_BY_ID, {"employee_id": employee_id}).one_or_none()
    return None if row is None else Employee(**row._mapping)


def find_employee_by_email(connection: Connection, email: str) -> Employee | None:
    """The employee with this address, in any case of letters."""
    row = connection.execute(_BY_EMAIL, {"email": email}).one_or_none()
    return None if row is None else Employee(**row._mapping)


def page_of_employees(
    connection: Connection, *, after: UUID = FIRST, limit: int = PAGE_EMPLOYEES_MAX
) -> list[Employee]:
    """Employees in the order of their ids (that is, of their registration), after a given one."""
    assert 1 <= limit <= PAGE_EMPLOYEES_MAX
    rows = connection.execute(_PAGE, {"after": after, "limit": limit})
    return [Employee(**row._mapping) for row in rows]
