"""Every published version has an example, and the example is read by all who will read events."""

import json
from typing import Any

import jsonschema
import msgspec
import pytest

from contracts.envelope import SOURCE
from contracts.publication import example_path, schema_of, schema_path
from contracts.registry import (
    DATA_TYPES,
    NEWEST_VERSIONS,
    TOPICS,
    decode,
    decode_as_written,
    encode,
    subject_of,
    topic_of,
)

pytestmark = pytest.mark.parametrize(("event_type", "version"), DATA_TYPES)


def example(event_type: str, version: int) -> dict[str, Any]:
    return json.loads(example_path(event_type, version).read_text("utf-8"))


def test_example_is_decoded_in_its_own_version(event_type: str, version: int) -> None:
    body = example_path(event_type, version).read_bytes()

    envelope, data = decode_as_written(body)

    assert (envelope.type, envelope.version) == (event_type, version)
    assert type(data) is DATA_TYPES[event_type, version]
    assert envelope.subject == subject_of(event_type, data)


def test_example_is_lifted_to_the_newest_version(event_type: str, version: int) -> None:
    _, data = decode(example_path(event_type, version).read_bytes())

    assert type(data) is DATA_TYPES[event_type, NEWEST_VERSIONS[event_type]]


def test_example_obeys_its_published_schema(event_type: str, version: int) -> None:
    schema = json.loads(schema_path(event_type, version).read_text("utf-8"))

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(example(event_type, version), schema)


def test_example_names_every_field_of_its_data(event_type: str, version: int) -> None:
    fields = msgspec.structs.fields(DATA_TYPES[event_type, version])

    assert set(example(event_type, version)["data"]) == {field.name for field in fields}


def test_encoding_gives_the_example_back(event_type: str, version: int) -> None:
    expected = example(event_type, version)
    envelope, data = decode_as_written(json.dumps(expected))

    body = encode(
        data,
        event_id=envelope.id,
        subject=envelope.subject,
        sequence=envelope.sequence,
        occurred_at=envelope.time,
        business_date=envelope.businessdate,
        correlation_id=envelope.correlationid,
    )

    assert envelope.source == SOURCE
    assert decode_as_written(body) == (msgspec.structs.replace(envelope, data=_data(body)), data)
    assert {**json.loads(body), "time": expected["time"]} == expected


def test_schema_and_decoder_refuse_the_same_data(event_type: str, version: int) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(event_type, version))

    for name in example(event_type, version)["data"]:
        broken = example(event_type, version)
        broken["data"][name] = ["not", "this"]

        assert not validator.is_valid(broken), name
        with pytest.raises(ValueError, match="bad-data"):
            decode(json.dumps(broken))


def test_every_type_has_a_topic(event_type: str, version: int) -> None:
    assert topic_of(event_type) in TOPICS.values()


def _data(body: bytes) -> msgspec.Raw:
    return decode_as_written(body)[0].data
