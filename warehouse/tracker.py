"""The tracker's PostgreSQL beside the lake, read only: for checks and exports that need both."""

import duckdb
from sqlalchemy.engine import make_url

_SECRET_WORDS = {
    "host": "host",
    "port": "port",
    "database": "database",
    "username": "user",
    "password": "password",
}

# In place of the mail's tables while nothing was ever mailed.
_NO_MAIL = (
    """
    create temp table deliveries (
        delivery_id uuid, business_date date, employee_id uuid, email varchar,
        amount_cents bigint, message_id varchar, state varchar, sent_at timestamptz,
        last_error varchar
    )
    """,
    "create temp table planning as select null::date as planned_through",
)
_MAIL = (
    """
    create temp table deliveries as
    select delivery_id, business_date, employee_id, email, amount_cents, message_id, state,
        sent_at, last_error
    from tracker.mail.deliveries
    """,
    "create temp table planning as select planned_through from tracker.mail.planning",
)


def attach_tracker(connection: duckdb.DuckDBPyConnection, database_url: str) -> None:
    """Attach the tracker's database, read only, as `tracker` to a connection that has the lake."""
    parts = make_url(database_url).translate_connect_args()
    known = ", ".join(f"{_SECRET_WORDS[name]} {_quote(str(part))}" for name, part in parts.items())
    connection.execute(f"create or replace secret tracker_database (type postgres, {known})")
    connection.execute("attach '' as tracker (type postgres, secret tracker_database, read_only)")


def copy_mail(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary tables `deliveries` and `planning` from the tracker's mail schema.

    The mailer makes that schema when it starts; until then both are empty of content.
    """
    found = connection.execute(
        "select count(*) from duckdb_tables() where database_name = 'tracker'"
        " and schema_name = 'mail' and table_name in ('deliveries', 'planning')"
    ).fetchone()
    for statement in _MAIL if found == (2,) else _NO_MAIL:
        connection.execute(statement)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
