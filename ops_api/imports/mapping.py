"""Which column of a log is what: the TOML file that goes with every import.

Unknown keys and wrong values are refused by name, so a typing error never changes what is imported.
"""

import zoneinfo
from pathlib import Path

import msgspec

ISO8601 = "iso8601"


class MappingError(ValueError):
    """The mapping cannot be used; the message names the file and the key."""


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The header's names of the columns that matter; all others are ignored."""

    ticket: str
    time: str
    worker: str
    status: str
    title: str | None = None


class Values(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words with a meaning; compared exactly, after white space around a cell is gone."""

    done: tuple[str, ...]
    nobody: tuple[str, ...] = ("",)


class Time(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`format` is `iso8601` or a strptime pattern; `zone` is for times without an offset."""

    format: str = ISO8601
    zone: str = "UTC"


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the bytes are to be read."""

    encoding: str = "utf-8"
    delimiter: str = ","


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One mapping, complete and checked."""

    columns: Columns
    values: Values
    time: Time = Time()
    file: File = File()

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone of times that carry no offset."""
        return zoneinfo.ZoneInfo(self.time.zone)


def read_mapping(path: Path) -> Mapping:
    """Read and check a mapping file. Raises MappingError naming the file and the key."""
    try:
        mapping = msgspec.toml.decode(path.read_bytes(), type=Mapping)
    except OSError as error:
        raise MappingError(f"{path}: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: {error}") from error
    complaint = _complaint(mapping)
    if complaint is not None:
        raise MappingError(f"{path}: {complaint}")
    return mapping


def _complaint(mapping: Mapping) -> str | None:
    """What is wrong with a mapping that has the right shape, naming the key; None if nothing is."""
    named = msgspec.structs.asdict(mapping.columns)
    for key, column in named.items():
        if column == "":
            return f"columns.{key} names no column"
    if not mapping.values.done:
        return "values.done is empty: no row could ever complete a task"
    if not mapping.time.format.strip():
        return "time.format is empty; give iso8601 or a strptime pattern"
    if mapping.time.format != ISO8601 and "%" not in mapping.time.format:
        return f"time.format {mapping.time.format!r} is neither iso8601 nor a strptime pattern"
    if len(mapping.file.delimiter) != 1 or mapping.file.delimiter in '"\r\n':
        return f"file.delimiter {mapping.file.delimiter!r} is not one character that can delimit"
    return _unknown_name(mapping)


def _unknown_name(mapping: Mapping) -> str | None:
    try:
        "a,1".encode(mapping.file.encoding)
    except (LookupError, ValueError):
        return f"file.encoding {mapping.file.encoding!r} is no encoding of text that we know"
    try:
        zoneinfo.ZoneInfo(mapping.time.zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return f"time.zone {mapping.time.zone!r} is unknown"
    return None
