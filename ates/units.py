"""What a setting is: its name, what its text measures, its default and its meaning."""

from enum import StrEnum

import msgspec


class Unit(StrEnum):
    """What the text of a variable measures."""

    TEXT = "text"
    FOLDER = "folder"
    URL = "URL"
    PORT = "TCP port"
    COUNT = "count"
    DAYS = "days"
    HOURS = "hours"
    MINUTES = "minutes"
    ZONE = "IANA time zone"
    HOST = "host name or address"
    MAIL = "e-mail address"
    SECRET = "secret"  # noqa: S105 - the word itself


class Variable(msgspec.Struct, frozen=True):
    """One variable. Without a default it stays unset; `doc` says what that means."""

    name: str
    unit: Unit
    default: str | None
    doc: str


class Section(msgspec.Struct, frozen=True):
    """Variables that belong together."""

    title: str
    variables: tuple[Variable, ...]
