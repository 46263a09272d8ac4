"""Every event of the system, version by version: the data inside the envelope.

A published version never changes. A new need gets a new version, an upcast in `upcasts.py`,
an example in `examples/` and a schema in `schemas/` (`ates contracts export` writes it).
All amounts are integer cents; all ids are UUIDs; no text holds control characters.
"""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

TITLE_LENGTH_MAX = 500
NAME_LENGTH_MAX = 200
EMAIL_LENGTH_MAX = 254
EXTERNAL_ID_LENGTH_MAX = 200
JIRA_ID_LENGTH_MAX = 64
INTEGER_MAX = 2**31 - 1  # `sequence` and the like are 32-bit in every store
BIGINT_MAX = 2**63 - 1  # counts, positions and cents are 64-bit

# One line that says something: no control character (C0, DEL, C1) and not only spaces.
# `(?![\s\S])` is the end of the text in Python and in JSON Schema; Python's `$` would let a
# trailing line feed through.
LINE_PATTERN = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]*(?![\s\S])"
EMAIL_PATTERN = r"^[^\x00-\x20\x7f-\x9f@]+@[^\x00-\x20\x7f-\x9f@]+(?![\s\S])"
JIRA_ID_PATTERN = r"^[A-Z][A-Z0-9_]*-[0-9]+(?![\s\S])"

Title = Annotated[str, Meta(min_length=1, max_length=TITLE_LENGTH_MAX, pattern=LINE_PATTERN)]
Name = Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH_MAX, pattern=LINE_PATTERN)]
Email = Annotated[str, Meta(min_length=3, max_length=EMAIL_LENGTH_MAX, pattern=EMAIL_PATTERN)]
ExternalId = Annotated[
    str, Meta(min_length=1, max_length=EXTERNAL_ID_LENGTH_MAX, pattern=LINE_PATTERN)
]
JiraId = Annotated[str, Meta(max_length=JIRA_ID_LENGTH_MAX, pattern=JIRA_ID_PATTERN)]
FeeCents = Annotated[int, Meta(ge=1000, le=2000, multiple_of=100)]
RewardCents = Annotated[int, Meta(ge=2000, le=4000, multiple_of=100)]
Count = Annotated[int, Meta(ge=0, le=BIGINT_MAX)]
Number = Annotated[int, Meta(ge=1, le=INTEGER_MAX)]
Role = Literal["worker", "manager", "accountant", "admin"]


class EventData(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all event data; unknown fields are ignored when reading."""


class EmployeeRegisteredV1(EventData, frozen=True, kw_only=True):
    """Somebody joined the company."""

    employee_id: UUID
    name: Name
    email: Email
    role: Role
    is_active: bool
    external_id: ExternalId | None = None


class EmployeeChangedV1(EventData, frozen=True, kw_only=True):
    """Name, address, role or activity changed; carries the whole new state."""

    employee_id: UUID
    name: Name
    email: Email
    role: Role
    is_active: bool
    external_id: ExternalId | None = None


class TaskCreatedV1(EventData, frozen=True, kw_only=True):
    """A task came into being; its title may still hold a `[POPUG-123]` prefix."""

    task_id: UUID
    title: Title
    fee_cents: FeeCents
    reward_cents: RewardCents
    created_by: UUID
    external_id: ExternalId | None = None


class TaskCreatedV2(EventData, frozen=True, kw_only=True):
    """A task came into being; the Jira id stands apart from the title."""

    task_id: UUID
    title: Title
    jira_id: JiraId | None = None
    fee_cents: FeeCents
    reward_cents: RewardCents
    created_by: UUID
    external_id: ExternalId | None = None


class TaskAssignedV1(EventData, frozen=True, kw_only=True):
    """An employee got a task, at its creation or by a reassignment, and owes the fee."""

    task_id: UUID
    assignee_id: UUID
    assignment_number: Number
    fee_cents: FeeCents
    title: Title


class TaskCompletedV1(EventData, frozen=True, kw_only=True):
    """The assignee finished a task and earned the reward."""

    task_id: UUID
    employee_id: UUID
    reward_cents: RewardCents
    title: Title


class BusinessDayClosedV1(EventData, frozen=True, kw_only=True):
    """The certificate of a closed day: what every copy of the log must add up to.

    `last_position` is the position of the day's last event or of an earlier one, when the day had
    none; count and sums speak of all events with this business date up to that position.
    `is_mail_wanted` is false for imported days whose payouts nobody should be told of.
    """

    business_date: dt.date
    last_position: Count
    count_events: Count
    fees_cents: Count
    rewards_cents: Count
    is_mail_wanted: bool = True
