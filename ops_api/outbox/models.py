"""The tables between a command and Kafka.

outbox        one row per committed event that has no position yet
event_log     one row per event; `position` has no holes from the first row to the last. The oldest
              days may have left it for the lake's archive (`archiving`), which then has them all
log_head      one row: the last position given out
publications  one row: the last position the broker has acknowledged
discarded_events  one row per event that somebody decided to do without, and why: the lake counts it
                  as discarded, also when it is built anew
archived_task_events  one row per event of a task that left the log for the archive: what the task's
                      history shows of it

`fee_cents` is the fee of a task.assigned and `reward_cents` the reward of a task.completed, else 0;
`employee_id` says whose account that moves, else null: so a day adds up without reading JSON.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from ops_api.metadata import metadata


def _event_columns() -> list[Column[object]]:
    return [
        Column("event_id", Uuid, nullable=False),
        Column("type", Text, nullable=False),
        Column("version", SmallInteger, nullable=False),
        Column("topic", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("sequence", Integer, nullable=False),
        Column("occurred_at", DateTime(timezone=True), nullable=False),
        Column("business_date", Date, nullable=False),
        Column("correlation_id", Uuid, nullable=False),
        Column("fee_cents", BigInteger, nullable=False, server_default=text("0")),
        Column("reward_cents", BigInteger, nullable=False, server_default=text("0")),
        Column("employee_id", Uuid),
        Column("body", Text, nullable=False),
    ]


EVENT_COLUMNS = tuple(column.name for column in _event_columns())

outbox = Table(
    "outbox",
    metadata,
    Column("outbox_id", BigInteger, Identity(always=True), primary_key=True),
    *_event_columns(),
)

event_log = Table(
    "event_log",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    *_event_columns(),
    Column(
        "recorded_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("statement_timestamp()"),
    ),
    UniqueConstraint("event_id"),
    UniqueConstraint("subject", "sequence"),
    CheckConstraint("position >= 1", "position"),
    CheckConstraint("sequence >= 1", "sequence"),
    CheckConstraint("fee_cents >= 0 and reward_cents >= 0", "amounts"),
)
Index("event_log_business_date_idx", event_log.c.business_date)
Index(
    "event_log_employee_id_idx",
    event_log.c.employee_id,
    event_log.c.business_date,
    postgresql_include=["fee_cents", "reward_cents"],
    postgresql_where=text("employee_id is not null"),
)

log_head = Table(
    "log_head",
    metadata,
    Column("only_row", Boolean, primary_key=True, server_default=text("true")),
    Column("last_position", BigInteger, nullable=False),
    CheckConstraint("only_row", "only_row"),
)

publications = Table(
    "publications",
    metadata,
    Column("only_row", Boolean, primary_key=True, server_default=text("true")),
    Column("published_position", BigInteger, nullable=False),
    Column("published_at", DateTime(timezone=True)),
    CheckConstraint("only_row", "only_row"),
)

discarded_events = Table(
    "discarded_events",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("business_date", Date, nullable=False),
    Column("fee_cents", BigInteger, nullable=False),
    Column("reward_cents", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("discarded_by", Text, nullable=False),
    Column("discarded_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("reason <> '' and discarded_by <> ''", "said"),
)

archived_task_events = Table(
    "archived_task_events",
    metadata,
    Column("task_id", Uuid, ForeignKey("tasks.task_id"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("employee_id", Uuid),
    Column("fee_cents", BigInteger, nullable=False),
    Column("reward_cents", BigInteger, nullable=False),
)
