"""What the dashboards' account may read: the lake's catalog, and of the tracker what shows delay.

The owner of each database grants it. Passwords, sessions and tokens of the tracker stay unreadable.
"""

from collections.abc import Mapping

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from contracts.environment import SettingsError

TRACKER_TABLES = ("event_log", "log_head", "outbox", "publications", "business_days")
UNDEFINED_ROLE = "42704"

_LAKE = """
grant usage on schema public to {reader};
grant select on all tables in schema public to {reader};
alter default privileges in schema public grant select on tables to {reader};
"""
# The mail office makes its tables when it first starts; the schema waits for them.
_TRACKER = """
grant usage on schema public to {reader};
grant select on {tables} to {reader};
create schema if not exists mail;
grant usage on schema mail to {reader};
grant select on all tables in schema mail to {reader};
alter default privileges in schema mail grant select on tables to {reader};
"""


def grant_reads(environment: Mapping[str, str]) -> None:
    """Let the readers of DATABASE_READER_URL and LAKE_READER_URL read, if they are not the owners.

    Raises SettingsError for an account that does not exist.
    """
    tables = ", ".join(TRACKER_TABLES)
    for owner, reader, statements in (
        ("DATABASE_URL", "DATABASE_READER_URL", _TRACKER),
        ("LAKE_CATALOG_URL", "LAKE_READER_URL", _LAKE),
    ):
        _grant(environment[owner], environment[reader], statements, tables, reader)


def _grant(owner_url: str, reader_url: str, statements: str, tables: str, variable: str) -> None:
    owner, reader = make_url(owner_url), make_url(reader_url)
    if not owner.drivername.startswith("postgresql") or owner.username == reader.username:
        return
    engine = create_engine(owner)
    try:
        with engine.begin() as connection:
            name = engine.dialect.identifier_preparer.quote_identifier(reader.username or "")
            connection.execute(text(statements.format(reader=name, tables=tables)))
    except ProgrammingError as error:
        if getattr(error.orig, "pgcode", None) == UNDEFINED_ROLE:
            message = f"{variable} names the account {reader.username}, which does not exist"
            raise SettingsError(message) from error
        raise
    finally:
        engine.dispose()
