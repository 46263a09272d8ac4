"""What is read, what is refused and with which reason; hostile bytes never raise anything else."""

import datetime as dt
import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import TITLE_LENGTH_MAX, TaskCompletedV1, TaskCreatedV2
from contracts.publication import example_path
from contracts.registry import BrokenEventError, decode, encode

COMPLETED = example_path("task.completed", 1).read_text("utf-8")
DEEP = 100_000  # deeper than any interpreter's stack


def completed(**changes: Any) -> str:
    return json.dumps({**json.loads(COMPLETED), **changes})


def completed_with(**changes: Any) -> str:
    return completed(data={**json.loads(COMPLETED)["data"], **changes})


def reason_of(body: bytes | str) -> str:
    with pytest.raises(BrokenEventError) as caught:
        decode(body)
    return caught.value.reason


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b'{"specversion":"1.0"',
        COMPLETED[:-10].encode(),
        COMPLETED.encode() + b"}",
        b'{"unknown":' + b"[" * DEEP,
        "\ud800",
    ],
)
def test_bytes_that_are_no_json_are_refused(body: bytes | str) -> None:
    assert reason_of(body) == "not-json"


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "[]",
        "{}",
        completed(specversion="0.3"),
        completed(id="not-a-uuid"),
        completed(time="2026-03-02T16:30:00"),
        completed(businessdate="2026-02-30"),
        completed(sequence=0),
        completed(sequence=2**31),
        completed(sequence="3"),
        completed(source=""),
        completed(subject="0199a3c4-0000-7b21-9c32-1d43e54f6601"),
    ],
)
def test_broken_metadata_is_refused(body: str) -> None:
    assert reason_of(body) == "bad-envelope"


def test_type_nobody_knows_is_refused() -> None:
    assert reason_of(completed(type="task.eaten", dataschema="task.eaten/1")) == "unknown-type"


@pytest.mark.parametrize(
    "dataschema",
    ["task.completed/2", "task.completed/0", "task.completed/ 1", "task.completed/+1",
     "task.completed/01", "task.completed/x", "task.completed", "task.assigned/1", "", "1" * 9000],
)  # fmt: skip
def test_version_nobody_knows_is_refused(dataschema: str) -> None:
    assert reason_of(completed(dataschema=dataschema)) == "unknown-version"


@pytest.mark.parametrize(
    "change",
    [
        {"reward_cents": 1900},
        {"reward_cents": 4100},
        {"reward_cents": 2050},
        {"reward_cents": 2000.5},
        {"reward_cents": "2000"},
        {"reward_cents": None},
        {"task_id": "7"},
        {"title": ""},
        {"title": "   "},
        {"title": "x" * (TITLE_LENGTH_MAX + 1)},
        {"title": "bell\x07"},
        {"title": "nul\x00"},
        {"title": "trailing line feed\n"},
        {"title": "c1\x85"},
    ],
)
def test_data_outside_its_limits_is_refused(change: dict[str, Any]) -> None:
    assert reason_of(completed_with(**change)) == "bad-data"


def test_text_that_is_no_utf8_inside_the_data_is_refused() -> None:
    assert reason_of(COMPLETED.encode().replace(b"sweep", b"swe\xff")) == "bad-data"


def test_unknown_fields_are_ignored() -> None:
    body = completed_with(mood="sunny", deep={"a": [1, {"b": None}]})
    body = json.dumps({**json.loads(body), "traceparent": "00-1-2-3"})

    assert decode(body)[1] == decode(COMPLETED)[1]


def test_a_long_bad_value_does_not_make_a_long_reason() -> None:
    with pytest.raises(BrokenEventError) as caught:
        decode(completed(dataschema="x" * 1_000_000))

    assert len(str(caught.value)) < 1_000


def test_old_version_reads_like_the_newest() -> None:
    _, old = decode(example_path("task.created", 1).read_bytes())
    _, new = decode(example_path("task.created", 2).read_bytes())

    assert isinstance(new, TaskCreatedV2)
    assert old == new


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with pytest.raises(BrokenEventError):
        decode(body)


@given(st.integers(0, len(COMPLETED.encode()) - 1), st.integers(0, 255))
def test_an_event_with_one_wrong_byte_is_read_or_refused(place: int, value: int) -> None:
    body = bytearray(COMPLETED.encode())
    body[place] = value

    try:
        decode(bytes(body))
    except BrokenEventError as error:
        assert error.reason in {  # noqa: PT017 - either outcome is right, no other error is
            "not-json", "bad-envelope", "unknown-type", "unknown-version", "bad-data",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "occurred_at"),
    [
        ("another", dt.datetime(2026, 3, 2, tzinfo=dt.UTC)),
        ("0199a3c4-6e10-7b21-9c32-1d43e54f6601", dt.datetime(2026, 3, 2)),  # noqa: DTZ001 - naive
        (
            "0199a3c4-6e10-7b21-9c32-1d43e54f6601",
            dt.datetime(2026, 3, 2, tzinfo=dt.timezone(dt.timedelta(hours=3))),
        ),
    ],
)
def test_a_wrong_subject_or_a_time_that_is_not_utc_is_never_written(
    subject: str, occurred_at: dt.datetime
) -> None:
    data = decode(COMPLETED)[1]
    assert isinstance(data, TaskCompletedV1)

    with pytest.raises(AssertionError):
        encode(
            data,
            event_id=UUID(int=1),
            subject=subject,
            sequence=1,
            occurred_at=occurred_at,
            business_date=dt.date(2026, 3, 2),
            correlation_id=UUID(int=2),
        )
