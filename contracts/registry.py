"""Which event types and versions exist, where they travel, and how to write and read them."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from contracts import upcasts
from contracts.envelope import Envelope
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

_envelope_decoder = msgspec.json.Decoder(Envelope)
_data_decoders = {key: msgspec.json.Decoder(kind) for key, kind in DATA_TYPES.items()}
_versions_of_type = {kind: key for key, kind in DATA_TYPES.items()}


class BrokenEventError(ValueError):
    """The bytes are not an event we know; `reason` is a short word for counting.

    Reasons: `not-json`, `bad-envelope`, `unknown-type`, `unknown-version`, `bad-data`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def topic_of(event_type: str) -> str:
    """The topic, without prefix, on which an event type travels."""
    return TOPICS[event_type.partition(".")[0]]


def dataschema_of(event_type: str, version: int) -> str:
    """The name of a version's schema: `task.created/2`."""
    return f"{event_type}/{version}"


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
    return msgspec.json.encode(
        Envelope(
            id=event_id,
            type=event_type,
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
    envelope = _decode_envelope(body)
    try:
        key = (envelope.type, envelope.version)
    except ValueError:
        raise BrokenEventError("unknown-version", envelope.dataschema) from None
    if key not in DATA_TYPES:
        known = envelope.type in NEWEST_VERSIONS
        raise BrokenEventError("unknown-version" if known else "unknown-type", envelope.dataschema)
    try:
        data = _data_decoders[key].decode(envelope.data)
    except msgspec.ValidationError as error:
        raise BrokenEventError("bad-data", str(error)) from error
    upcast = UPCASTS.get(key)
    return envelope, upcast(data) if upcast else data


def _decode_envelope(body: bytes | str) -> Envelope:
    try:
        return _envelope_decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BrokenEventError("bad-envelope", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenEventError("not-json", str(error)) from error
