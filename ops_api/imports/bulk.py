"""Many rows into PostgreSQL in one statement, past the row-by-row work of an ORM or a driver."""

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from typing import Any, cast
from uuid import UUID

from psycopg2.extras import execute_values
from sqlalchemy import Connection

PAGE_ROWS = 1000

Cell = str | int | bool | dt.date | dt.datetime | UUID | None

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> None:
    """Append rows to a table with COPY, in the order given, inside the caller's transaction."""
    text = "".join("\t".join(map(_copy_text, row)) + "\n" for row in rows)
    if not text:
        return
    statement = f"copy {table} ({', '.join(columns)}) from stdin"
    with _cursor(connection) as cursor:
        cursor.copy_expert(statement, io.StringIO(text))


def update_rows(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> int:
    """Run `update ... from (values %s) ...` for all rows and return how many rows it changed."""
    with _cursor(connection) as cursor:
        count = 0
        for start in range(0, len(rows), PAGE_ROWS):
            page = rows[start : start + PAGE_ROWS]
            execute_values(cursor, statement, page, page_size=PAGE_ROWS)
            count += cursor.rowcount
    return count


def _cursor(connection: Connection) -> Any:
    """psycopg2's own cursor, which knows COPY, in the transaction SQLAlchemy has open."""
    assert connection.in_transaction()
    return connection.connection.cursor()


def _copy_text(cell: Cell) -> str:
    kind = type(cell)
    if kind is str:
        text = cast("str", cell)
        is_plain = text.isprintable() and "\\" not in text
        return text if is_plain else text.translate(_ESCAPES)
    if cell is None:
        return "\\N"
    if kind is bool:
        return "t" if cell else "f"
    return str(cell)
