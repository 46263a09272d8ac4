"""What cannot be read is kept with its reason, and never stops what comes after it."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from contracts.registry import BrokenEventError, decode
from tests.warehouse.world import Broker, World, record, table
from warehouse.ingest import LogRow, apply_batch, apply_missing
from warehouse.judge import RECORD_BYTES_MAX

Lake = duckdb.DuckDBPyConnection


def body_with(body: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    event = json.loads(body)
    change(event)
    return json.dumps(event, separators=(",", ":")).encode()


def setting(**values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda event: event["data"].update(values)


def heading(**values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda event: event.update(values)


BAD_ASSIGNED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "fee as text": setting(fee_cents="1500"),
    "fee as fraction": setting(fee_cents=1500.5),
    "fee as whole fraction": setting(fee_cents=1500.0001),
    "fee as truth": setting(fee_cents=True),
    "fee missing": lambda event: event["data"].pop("fee_cents"),
    "fee null": setting(fee_cents=None),
    "fee too low": setting(fee_cents=900),
    "fee too high": setting(fee_cents=2100),
    "fee not whole": setting(fee_cents=1550),
    "fee negative": setting(fee_cents=-1500),
    "fee beyond 64 bits": setting(fee_cents=10**30),
    "title too long": setting(title="x" * 501),
    "title empty": setting(title=""),
    "title a number": setting(title=12345),
    "title a list": setting(title=["a"]),
    "title with NUL": setting(title="a\x00b"),
    "title with DEL": setting(title="a\x7fb"),
    "title of two lines": setting(title="a\nb"),
    "title of odd spaces": setting(title="\u00a0\u2003"),
    "task without id": lambda event: event["data"].pop("task_id"),
    "task id too short": setting(task_id="123"),
    "task id with odd hyphens": setting(task_id="--2ba1be5714bc40d9bd76668a4b2a05d1--"),
    "assignee a number": setting(assignee_id=7),
    "assignment number zero": setting(assignment_number=0),
    "assignment number as text": setting(assignment_number="1"),
    "data a list": heading(data=[]),
    "data missing": lambda event: event.pop("data"),
    "sequence zero": heading(sequence=0),
    "sequence as text": heading(sequence="2"),
    "sequence beyond 32 bits": heading(sequence=2**31),
    "sequence a fraction": heading(sequence=1.5),
    "no date": lambda event: event.pop("businessdate"),
    "date that never was": heading(businessdate="2026-02-30"),
    "date not padded": heading(businessdate="2026-3-02"),
    "time without zone": heading(time="2026-03-02T10:00:00"),
    "time not padded": heading(time="2026-3-2T10:00:00.0Z"),
    "hour 24": heading(time="2026-03-02T24:00:00Z"),
    "id in braces": heading(id="{2ba1be57-14bc-40d9-bd76-668a4b2a05d1}"),
    "other specification": heading(specversion="0.3"),
    "other content": heading(datacontenttype="text/plain"),
    "subject a number": heading(subject=5),
    "unknown type": heading(type="task.sold", dataschema="task.sold/1"),
    "unknown version": heading(dataschema="task.assigned/9"),
    "version not a number": heading(dataschema="task.assigned/x"),
}
GOOD_ASSIGNED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "unknown field in data": setting(colour="green", nested={"a": [1, None, {"fee_cents": "x"}]}),
    "unknown field in envelope": heading(traceparent="00-abc"),
    "other order": lambda event: event.update(id=event.pop("id")),
    "title that looks like a number": setting(title="12345"),
    "title with quotes": setting(title='say "hi" \\ bye'),
    "title in another script": setting(title="подмести пол 🧹"),
    "title of 500 letters": setting(title="ж" * 500),
    "time with an offset": heading(time="2026-03-02T12:00:00+02:00"),
    "id in capitals": heading(id="2BA1BE57-14BC-40D9-BD76-668A4B2A05D1"),
}
BROKEN_BYTES: dict[str, tuple[bytes | None, int | None, str]] = {
    "no value": (None, 1, "null-value"),
    "nothing": (b"", 2, "not-json"),
    "text": (b"hello", 3, "not-json"),
    "cut off": (b'{"specversion":"1.0","id":', 4, "not-json"),
    "not UTF-8": (b'{"specversion":"\xff\xfe"}', 5, "not-json"),
    "a number": (b"5", 6, "bad-envelope"),
    "a list": (b"[]", 7, "bad-envelope"),
    "too deep": (b'{"data":' + b"[" * 200_000 + b"]" * 200_000 + b"}", 8, "not-json"),
    "5 MB": (b'"' + b"x" * 5_000_000 + b'"', 9, "too-large"),
    "just over": (b" " * (RECORD_BYTES_MAX + 1), 10, "too-large"),
    "no position": (b"{}", None, "no-position"),
    "position zero": (b"{ }", 0, "no-position"),
}


@pytest.fixture
def assigned(world: World) -> bytes:
    """The bytes of a good task.assigned."""
    world.create_task()
    return world.log[-1].body


def reasons(lake: Lake) -> dict[bytes | None, str]:
    return dict(lake.execute("select record, reason from raw.quarantine").fetchall())


def test_what_contracts_refuse_is_quarantined_with_their_reason(
    lake: Lake, assigned: bytes
) -> None:
    bodies = [body_with(assigned, change) for change in BAD_ASSIGNED.values()]
    expected = {}
    for body in bodies:
        with pytest.raises(BrokenEventError) as refused:
            decode(body)
        expected[body] = refused.value.reason

    rows = [record(body, place, offset=place) for place, body in enumerate(bodies, 1)]
    result = apply_batch(lake, table(*rows))

    assert reasons(lake) == expected
    assert (result.count_events, result.count_quarantined) == (0, len(bodies))


def test_odd_but_sound_events_are_read(lake: Lake, assigned: bytes) -> None:
    bodies = [body_with(assigned, change) for change in GOOD_ASSIGNED.values()]

    rows = [record(body, place, offset=place) for place, body in enumerate(bodies, 1)]
    result = apply_batch(lake, table(*rows))

    assert result.count_events == len(bodies), reasons(lake)
    titles = lake.execute("select title from ledger.postings where account <> 'company'").fetchall()
    assert sorted(titles) == sorted((decode(body)[1].title,) for body in bodies)  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(3))
def test_sql_and_contracts_never_disagree_about_damaged_events(lake: Lake, seed: int) -> None:
    world = World(seed)
    world.hire(2)
    world.work(20)
    world.close_day()
    rng = Random(seed)
    bodies = [damaged(rng.choice(world.log).body, rng) for _ in range(1_500)]
    expected: dict[int, str] = {}
    for position, body in enumerate(bodies, 1):
        try:
            decode(body)
        except BrokenEventError as error:
            expected[position] = error.reason

    apply_missing(
        lake, [LogRow(position, "tasks", body) for position, body in enumerate(bodies, 1)]
    )

    found = dict(lake.execute("select position, reason from raw.quarantine").fetchall())
    assert {key: reason for key, reason in found.items() if key not in expected} == {}
    assert found == expected
    assert len(expected) < len(bodies), "some must survive the damage"


def damaged(body: bytes, rng: Random) -> bytes:
    """A little wrong in one of many ways, or not at all."""
    event = json.loads(body)
    part = rng.choice([event, event["data"]])
    key = rng.choice(list(part))
    match rng.randrange(6):
        case 0:
            del part[key]
        case 1:
            part[key] = rng.choice([None, True, 0, -1, 1500, 2500, 1.5, "", "1500", "x", [], {}])
        case 2:
            part[rng.choice(["x", "title", "fee_cents", "external_id"])] = rng.choice(
                ["y", 7, None]
            )
        case 3:
            part[key] = f"{part[key]}{rng.choice(['', ' ', '0', 'Z'])}"
        case 4:
            text = bytearray(body)
            text[rng.randrange(len(text))] = rng.choice(b'"{}[],:019aZ \\')
            return bytes(text)
        case _:
            return body
    return json.dumps(event, separators=(",", ":")).encode()


def test_repeated_and_trailing_keys_are_judged_by_contracts(lake: Lake, assigned: bytes) -> None:
    twice = assigned.replace(b'"fee_cents":', b'"fee_cents":1000,"fee_cents":')
    trailing = assigned[:-2] + b",}}"
    not_a_number = assigned[:-2] + b',"x":NaN}}'

    rows = (twice, trailing, not_a_number)
    apply_batch(lake, table(*(record(row, n, offset=n) for n, row in enumerate(rows, 1))))

    assert reasons(lake) == {trailing: "not-json", not_a_number: "not-json"}
    fee = decode(twice)[1].fee_cents  # type: ignore[attr-defined]
    assert lake.execute("select max(amount_cents) from ledger.postings").fetchone() == (fee,)


def test_broken_bytes_are_kept_as_they_came(lake: Lake) -> None:
    rows = [
        record(value, position, offset=place)
        for place, (value, position, _) in enumerate(BROKEN_BYTES.values())
    ]

    apply_batch(lake, table(*rows))

    assert reasons(lake) == {value: reason for value, _, reason in BROKEN_BYTES.values()}


def test_broken_views_of_kafka_buffers_are_kept_too(lake: Lake, assigned: bytes) -> None:
    rows = [
        record(value, position, offset=place)
        for place, (value, position, _) in enumerate(BROKEN_BYTES.values())
    ]
    records = table(*rows, record(assigned, 50, offset=50))
    views = records.set_column(5, "value", records["value"].cast(pa.binary_view()))

    result = apply_batch(lake, views)

    assert (result.count_events, result.count_quarantined) == (1, len(BROKEN_BYTES))
    assert reasons(lake) == {value: reason for value, _, reason in BROKEN_BYTES.values()}


def test_a_broken_record_does_not_stop_its_neighbours(lake: Lake, world: World) -> None:
    world.work(20)
    good = Broker().publish(world.log)
    bad = table(record(b"junk", 10**6), record(b"junk", None, ("employees", 0), 99))

    result = apply_batch(lake, pa.concat_tables([bad, good, bad]))

    assert (result.count_events, result.count_quarantined) == (len(world.log), 2)
    assert result.contiguous_position == len(world.log)


def test_a_broken_record_delivered_again_is_a_duplicate(lake: Lake) -> None:
    broken = table(record(b"junk", 3), record(b"junk", None, offset=1))

    apply_batch(lake, broken)
    again = apply_batch(lake, broken)

    assert (again.count_quarantined, again.count_duplicates) == (0, 2)


def test_only_the_log_confirms_a_broken_position(lake: Lake, world: World) -> None:
    world.work(5)
    broken = LogRow(3, world.log[2].topic, b"junk")
    rows = [*world.log[:2], broken, *world.log[3:]]
    garbled = pa.concat_tables(
        [
            Broker().publish([*world.log[:2], *world.log[3:]]),
            table(record(b"junk", 3, ("tasks", 0))),
        ]
    )

    waiting = apply_batch(lake, garbled)
    healed = apply_missing(lake, rows)

    assert waiting.contiguous_position == 2
    assert lake.execute("select position, reason from raw.quarantine").fetchall()[-1] == (
        3,
        "not-json",
    )
    assert healed.contiguous_position == len(world.log)


def test_an_event_garbled_on_its_way_is_taken_from_the_log(lake: Lake, world: World) -> None:
    world.work(5)
    garbled = table(record(b"junk", 3, ("tasks", 0)))

    apply_batch(lake, garbled)
    result = apply_missing(lake, world.log)

    assert result.count_events == len(world.log)
    assert lake.execute("select position from raw.quarantine").fetchall() == [(None,)]


def test_junk_under_one_position_is_all_kept_and_hides_no_event(lake: Lake, world: World) -> None:
    world.work(5)
    good = Broker().publish(world.log)
    junk = table(*(record(value, 3) for value in (b"one", b"two", b"one", None)))

    result = apply_batch(lake, pa.concat_tables([junk, good, junk]))

    assert set(reasons(lake)) == {b"one", b"two", None}
    assert result.count_events == len(world.log)
    assert result.contiguous_position == len(world.log)
