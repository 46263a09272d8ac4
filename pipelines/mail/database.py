"""The PostgreSQL side of the deliveries: the engine and the tables, made when missing."""

import re
from pathlib import Path

import msgspec
from sqlalchemy import Engine, create_engine, text

SCHEMA_SQL = Path(__file__).with_name("schema.sql")
# In the schema a column is a line of its own, and so is the comment that describes it.
COLUMN = re.compile(r"^    (?P<name>\w+) (?P<type>\w+)(?P<more>.*?),?(?: +-- (?P<comment>.+))?$")
# Two processes that start at once would otherwise both create the schema, and one would fail.
SCHEMA_LOCK = 0x61746511
CONNECT_TIMEOUT_SECONDS = 5
STATEMENT_TIMEOUT_MS = 30_000
# One connection per mail connection, and one for planning and counting.
POOL_SIZE = 5


def open_engine(database_url: str) -> Engine:
    """An engine whose every call ends by itself: limits on connecting, waiting and running."""
    return create_engine(
        database_url,
        pool_size=POOL_SIZE,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC",
            "application_name": "ates mail",
        },
    )


def create_schema(engine: Engine) -> None:
    """Create schema `mail` and its tables; changes nothing when they are there."""
    with engine.begin() as connection:
        if connection.scalar(text("select to_regclass('mail.alerts')")) is not None:
            return
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": SCHEMA_LOCK})
        # Only who opens a table hears of what others committed; "if not exists" would not know.
        if connection.scalar(text("select true from pg_tables where schemaname = 'mail' limit 1")):
            return
        connection.exec_driver_sql(SCHEMA_SQL.read_text(encoding="utf-8"))


class Column(msgspec.Struct, frozen=True):
    """A column of a table; only those of tables that people look at are described."""

    name: str
    data_type: str
    comment: str
    is_nullable: bool


def read_columns(full_name: str) -> list[Column]:
    """The columns of `schema.table` as the schema's text has them."""
    _, _, table = SCHEMA_SQL.read_text(encoding="utf-8").partition(f" {full_name} (\n")
    body, _, _ = table.partition("\n);")
    return [
        Column(
            name=found["name"],
            data_type=found["type"],
            comment=found["comment"] or "",
            is_nullable=not re.search("not null|primary key", found["more"]),
        )
        for line in body.splitlines()
        if (found := COLUMN.match(line))
    ]
