"""Settings travel between processes as environment variables; this is how each one reads its own.

`ates` owns every default (`ates/settings.py`) and hands the full environment to the processes it
starts, so a package of ours only lists what it needs and never guesses.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


class SettingsError(ValueError):
    """A variable is missing or malformed; the message names it and says what it should hold."""


def read_environment(kind: type[S], environment: Mapping[str, str] = os.environ) -> S:
    """Fill a struct from variables named like its fields in capitals.

    `X_FILE` names a file that holds the value of `X` (for secrets). Raises SettingsError.
    """
    values = {}
    for field in msgspec.structs.fields(kind):
        value = _lookup(field.name.upper(), environment)
        if value is not None:
            values[field.name] = value
        elif field.required:
            raise SettingsError(f"{field.name.upper()} is not set; start this through `ates`")
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"a setting is malformed: {error}") from error


def _lookup(variable: str, environment: Mapping[str, str]) -> str | None:
    if variable in environment:
        return environment[variable]
    if file := environment.get(f"{variable}_FILE"):
        return Path(file).read_text(encoding="utf-8").strip()
    return None
