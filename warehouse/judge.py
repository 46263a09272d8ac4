"""The final word on a record that SQL did not recognise: a good event after all, or quarantine.

`contracts.registry.decode` decides; this module adds only what the lake itself cannot hold.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import msgspec

from contracts.envelope import Envelope
from contracts.events import (
    BusinessDayClosedV1,
    EmployeeChangedV1,
    EmployeeRegisteredV1,
    EventData,
    TaskAssignedV1,
    TaskCompletedV1,
    TaskCreatedV2,
)
from contracts.registry import BrokenEventError, decode

RECORD_BYTES_MAX = 1_000_000
DETAIL_LENGTH_MAX = 500
QUARANTINE_NAMESPACE = UUID("6b3f2f0e-0a5c-5d0e-9c3e-6f6d1f0f7a11")

Row = dict[str, Any]


@dataclass(frozen=True)
class Record:
    """One record as it came: from a partition, or from the log itself (partition None)."""

    topic: str
    partition: int | None
    offset: int | None
    position: int | None
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True)
class Judged:
    """A good event: its row for `events`, and one for its own table if it is of a rare type."""

    event: Row
    employee: Row | None = None
    certificate: Row | None = None


def judge(record: Record) -> Judged:
    """Decode one record and lift it to the newest version.

    Raises BrokenEventError; besides the reasons of contracts also `no-position`, `null-value` and
    `too-large`.
    """
    if record.value is None:
        raise BrokenEventError("null-value", "the record has no value")
    if len(record.value) > RECORD_BYTES_MAX:
        raise BrokenEventError(
            "too-large", f"{len(record.value)} bytes; at most {RECORD_BYTES_MAX} are read"
        )
    if record.position is None or record.position < 1:
        raise BrokenEventError("no-position", "the record has no usable `position` header")
    try:
        envelope, data = decode(record.value)
        original = bytes(envelope.data).decode("utf-8")
    except (UnicodeDecodeError, RecursionError) as error:
        raise BrokenEventError("not-json", str(error)) from error
    row = _row_of(record.position, envelope, original, data)
    match data:
        case EmployeeRegisteredV1() | EmployeeChangedV1():
            return Judged(row, employee=_employee_of(record.position, envelope, data))
        case BusinessDayClosedV1():
            return Judged(row, certificate=_certificate_of(record.position, envelope, data))
    return Judged(row)


def quarantine_row(record: Record, reason: str, detail: str, received_at: dt.datetime) -> Row:
    """A row of raw.quarantine; the same bytes at the same position always get the same id."""
    digest = hashlib.sha256(record.value or b"")
    digest.update(str(record.position).encode())
    return {
        "quarantine_id": str(uuid5(QUARANTINE_NAMESPACE, f"{record.topic}/{digest.hexdigest()}")),
        # The broker's word for a position is worth nothing when the record is broken. The log
        # itself will be asked for that position, and either brings the event or confirms this.
        "position": record.position if record.partition is None else None,
        "claimed_position": record.position,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "reason": reason,
        "detail": detail.replace("\x00", "")[:DETAIL_LENGTH_MAX],
        "record": record.value,
        "received_at": received_at,
        "attempts": 0,
    }


def _row_of(position: int, envelope: Envelope, original: str, data: EventData) -> Row:
    row: Row = {
        "position": position,
        "event_id": str(envelope.id),
        "type": envelope.type,
        "version": envelope.version,
        "subject": envelope.subject,
        "sequence": envelope.sequence,
        "occurred_at": envelope.time,
        "business_date": envelope.businessdate,
        "correlation_id": str(envelope.correlationid),
        "data": original,
    }
    match data:
        case TaskCreatedV2():
            row |= {
                "person_id": str(data.created_by),
                "fee_cents": data.fee_cents,
                "reward_cents": data.reward_cents,
                "jira_id": data.jira_id,
                "external_id": data.external_id,
            }
        case TaskAssignedV1():
            row |= {"person_id": str(data.assignee_id), "fee_cents": data.fee_cents}
        case TaskCompletedV1():
            row |= {"person_id": str(data.employee_id), "reward_cents": data.reward_cents}
    if isinstance(data, TaskCreatedV2 | TaskAssignedV1 | TaskCompletedV1):
        row |= {"task_id": str(data.task_id), "title": data.title}
    return row


def _employee_of(
    position: int, envelope: Envelope, data: EmployeeRegisteredV1 | EmployeeChangedV1
) -> Row:
    values: Row = msgspec.to_builtins(data)
    return values | {"sequence": envelope.sequence, "position": position}


def _certificate_of(position: int, envelope: Envelope, data: BusinessDayClosedV1) -> Row:
    values = msgspec.structs.asdict(data)
    return values | {"position": position, "closed_at": envelope.time}
