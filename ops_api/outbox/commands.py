"""Writing events: every command appends its facts here, in its own transaction."""

import datetime as dt
from collections.abc import Sequence
from typing import TypedDict
from uuid import UUID

from sqlalchemy import Connection, insert

from contracts import registry
from contracts.events import EventData, TaskAssignedV1, TaskCompletedV1
from ops_api.context import CommandContext
from ops_api.outbox.models import EVENT_COLUMNS, outbox

_VERSIONS_OF_TYPE = {kind: key for key, kind in registry.DATA_TYPES.items()}


class OutboxRow(TypedDict):
    """One event as the outbox and the event log hold it; `body` is what travels, unchanged."""

    event_id: UUID
    type: str
    version: int
    topic: str
    subject: str
    sequence: int
    occurred_at: dt.datetime
    business_date: dt.date
    correlation_id: UUID
    fee_cents: int
    reward_cents: int
    employee_id: UUID | None
    body: str


def outbox_row(
    data: EventData,
    *,
    event_id: UUID,
    subject: str,
    sequence: int,
    occurred_at: dt.datetime,
    business_date: dt.date,
    correlation_id: UUID,
) -> OutboxRow:
    """Encode one event and lay out its row."""
    event_type, version = _VERSIONS_OF_TYPE[type(data)]
    body = registry.encode(
        data,
        event_id=event_id,
        subject=subject,
        sequence=sequence,
        occurred_at=occurred_at,
        business_date=business_date,
        correlation_id=correlation_id,
    )
    return OutboxRow(
        event_id=event_id,
        type=event_type,
        version=version,
        topic=registry.topic_of(event_type),
        subject=subject,
        sequence=sequence,
        occurred_at=occurred_at,
        business_date=business_date,
        correlation_id=correlation_id,
        fee_cents=data.fee_cents if isinstance(data, TaskAssignedV1) else 0,
        reward_cents=data.reward_cents if isinstance(data, TaskCompletedV1) else 0,
        employee_id=_whose_account(data),
        body=body.decode(),
    )


def _whose_account(data: EventData) -> UUID | None:
    match data:
        case TaskAssignedV1():
            return data.assignee_id
        case TaskCompletedV1():
            return data.employee_id
        case _:
            return None


def event(
    context: CommandContext,
    data: EventData,
    *,
    sequence: int,
    occurred_at: dt.datetime,
    business_date: dt.date,
) -> OutboxRow:
    """The row of an event that belongs to the context's user action, with an id of its own."""
    event_type, _ = _VERSIONS_OF_TYPE[type(data)]
    return outbox_row(
        data,
        event_id=context.new_id(occurred_at),
        subject=registry.subject_of(event_type, data),
        sequence=sequence,
        occurred_at=occurred_at,
        business_date=business_date,
        correlation_id=context.correlation_id,
    )


def append(connection: Connection, rows: Sequence[OutboxRow]) -> None:
    """Write events into the outbox, in the order given; one statement for many rows."""
    if rows:
        connection.execute(insert(outbox), list(rows))


def insert_sql(count_rows: int) -> str:
    """SQL text that inserts so many events, to be joined to a command's own statement."""
    rows = (
        ", ".join(f":{name}_{number}" for name in EVENT_COLUMNS) for number in range(count_rows)
    )
    values = ", ".join(f"({row})" for row in rows)
    return f"insert into outbox ({', '.join(EVENT_COLUMNS)}) values {values}"  # noqa: S608 - ours


def insert_parameters(rows: Sequence[OutboxRow]) -> dict[str, object]:
    """The parameters of `insert_sql(len(rows))`."""
    return {
        f"{name}_{number}": value for number, row in enumerate(rows) for name, value in row.items()
    }
