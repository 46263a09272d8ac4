"""Which event types and versions exist, where they travel, and how to write and read them."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from contracts import upcasts
from contracts.envelope import SOURCE, Envelope
from contracts.events import (
    BusinessDayClosedV1,
    EmployeeChangedV1,
    EmployeeRegisteredV1,
    EventData,
    TaskAssignedV1,
    TaskCompletedV1,
    TaskCreatedV1,
    TaskCreatedV2,
)

DATA_TYPES: dict[tuple[str, int], type[EventData]] = {
    ("employee.registered", 1): EmployeeRegisteredV1,
    ("employee.changed", 1): EmployeeChangedV1,
    ("task.created", 1): TaskCreatedV1,
    ("task.created", 2): TaskCreatedV2,
    ("task.assigned", 1): TaskAssignedV1,
    ("task.completed", 1): TaskCompletedV1,
    ("business_day.closed", 1): BusinessDayClosedV1,
}
NEWEST_VERSIONS: dict[str, int] = {
    name: max(version for other, version in DATA_TYPES if other == name) for name, _ in DATA_TYPES
}
UPCASTS: dict[tuple[str, int], Callable[[Any], EventData]] = {
    ("task.created", 1): upcasts.task_created_v1_to_v2,
}
# One topic per kind of subject; a prefix from the settings goes before it.
TOPICS: dict[str, str] = {
    "employee": "employees",
    "task": "tasks",
    "business_day": "business-days",
}

# The field of the data that an event's `subject` repeats, so that Kafka can keep a subject's order.
SUBJECT_FIELDS: dict[str, str] = {
    "employee": "employee_id",
    "task": "task_id",
    "business_day": "business_date",
}

DETAIL_LENGTH_MAX = 500  # a detail may quote the record, and a record may be megabytes

_envelope_decoder = msgspec.json.Decoder(Envelope)
_data_decoders = {key: msgspec.json.Decoder(kind) for key, kind in DATA_TYPES.items()}
_versions_of_type = {kind: key for key, kind in DATA_TYPES.items()}
# What well-formed JSON never raises and hostile bytes do: a decoder that met them says which.
_UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)


class BrokenEventError(ValueError):
    """The bytes are not an event we know; `reason` is a short word for counting.

    Reasons: `not-json`, `bad-envelope`, `unknown-type`, `unknown-version`, `bad-data`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail[:DETAIL_LENGTH_MAX]}")
        self.reason = reason
        self.detail = detail[:DETAIL_LENGTH_MAX]


def topic_of(event_type: str) -> str:
    """The topic, without prefix, on which an event type travels."""
    return TOPICS[event_type.partition(".")[0]]


def dataschema_of(event_type: str, version: int) -> str:
    """The name of a version's schema: `task.created/2`."""
    return f"{event_type}/{version}"


def subject_of(event_type: str, data: EventData) -> str:
    """The id or ISO date that an event is about: its `subject` and its key in Kafka."""
    return str(getattr(data, SUBJECT_FIELDS[event_type.partition(".")[0]]))


def encode(  # every envelope field is a fact of its own
    data: EventData,
    *,
    event_id: UUID,
    subject: str,
    sequence: int,
    occurred_at: dt.datetime,
    business_date: dt.date,
    correlation_id: UUID,
) -> bytes:
    """Write one event as the bytes that will travel, be stored and be read for ever."""
    event_type, version = _versions_of_type[type(data)]
    assert occurred_at.utcoffset() == dt.timedelta(0), "events carry UTC"
    assert subject == subject_of(event_type, data), "the subject is what the data is about"
    return msgspec.json.encode(
        Envelope(
            specversion="1.0",
            id=event_id,
            type=event_type,
            source=SOURCE,
            subject=subject,
            time=occurred_at,
            dataschema=dataschema_of(event_type, version),
            sequence=sequence,
            businessdate=business_date,
            correlationid=correlation_id,
            data=msgspec.Raw(msgspec.json.encode(data)),
        )
    )


def decode(body: bytes | str) -> tuple[Envelope, EventData]:
    """Read an event and lift its data to the newest version.

    Raises BrokenEventError with a reason when the bytes are not an event we know.
    """
    envelope, data = decode_as_written(body)
    upcast = UPCASTS.get(_versions_of_type[type(data)])
    return envelope, upcast(data) if upcast else data


def decode_as_written(body: bytes | str) -> tuple[Envelope, EventData]:
    """Read an event in the version it was written in; raises BrokenEventError."""
    envelope = _decode_envelope(body)
    key = _version_of(envelope)
    try:
        data = _data_decoders[key].decode(envelope.data)
    except _UNREADABLE as error:
        raise BrokenEventError("bad-data", str(error)) from error
    if envelope.subject != subject_of(envelope.type, data):
        raise BrokenEventError("bad-envelope", "the subject is not what the data is about")
    return envelope, data


def _decode_envelope(body: bytes | str) -> Envelope:
    try:
        return _envelope_decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BrokenEventError("bad-envelope", str(error)) from error
    except _UNREADABLE as error:
        raise BrokenEventError("not-json", str(error)) from error


def _version_of(envelope: Envelope) -> tuple[str, int]:
    if envelope.type not in NEWEST_VERSIONS:
        raise BrokenEventError("unknown-type", envelope.type)
    for version in range(1, NEWEST_VERSIONS[envelope.type] + 1):
        if envelope.dataschema == dataschema_of(envelope.type, version):
            return envelope.type, version
    raise BrokenEventError("unknown-version", envelope.dataschema)
