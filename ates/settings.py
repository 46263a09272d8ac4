"""Settings: what the environment says, completed with defaults and generated secrets.

Invariant: a child process started with `environment()` finds every variable it may read.
"""

import ipaddress
import os
import zoneinfo
from collections.abc import Mapping
from pathlib import Path

import dotenv

from ates import passwords
from ates.embedded.kafka import MECHANISM, KafkaServer
from ates.embedded.postgres import READER, PostgresServer
from ates.units import Unit, Variable
from ates.variables import VARIABLES
from contracts.environment import SettingsError

DATABASES = {
    "DATABASE_URL": "tracker",
    "LAKE_CATALOG_URL": "lake",
    "DAGSTER_DATABASE_URL": "dagster",
}
# Accounts that can only read: of which database, and whose account stands in when unset.
READERS = {"DATABASE_READER_URL": "DATABASE_URL", "LAKE_READER_URL": "LAKE_CATALOG_URL"}
SECURITY_PROTOCOLS = ("SASL_PLAINTEXT", "SASL_SSL", "SSL", "PLAINTEXT")
PORT_MAX = 65_535
TASK_PARTITIONS_MAX = 1_000
SPAN_MAX = 1_000  # days, hours or minutes
# What the provider's clients authenticate with.
CLIENT_SECRETS = ("OIDC_DASHBOARDS_SECRET", "OIDC_DAGSTER_SECRET", "OIDC_PIPELINES_SECRET")
SECRET_LENGTH_MIN = 16


def load(
    environment: Mapping[str, str] = os.environ, dotenv_file: Path | None = Path(".env")
) -> "Settings":
    """Settings of this process: its environment, then the file `.env`, then the defaults.

    Raises SettingsError that names the variable and what it should hold.
    """
    in_file = dotenv.dotenv_values(dotenv_file) if dotenv_file and dotenv_file.exists() else {}
    return Settings({**{name: text for name, text in in_file.items() if text}, **environment})


class Settings:
    """Every variable's value. Secrets are generated when first asked for, not before."""

    def __init__(self, given: Mapping[str, str]) -> None:
        """Complete and check what was given; raises SettingsError."""
        self._is_given = {name for name in VARIABLES if _given(name, given)}
        self._values: dict[str, str] = {}
        for name, variable in VARIABLES.items():
            default = (variable.default or "").format_map(self._values)
            self._values[name] = _checked(variable, _given(name, given) or default)
        self._check_together()

    def __getitem__(self, name: str) -> str:
        """The value, empty when unset; without generated secrets and embedded URLs."""
        return self._values[name]

    def number(self, name: str) -> int:
        """A port or a count."""
        return int(self._values[name])

    @property
    def home(self) -> Path:
        """The folder of all state, absolute. It may not exist yet."""
        return Path(self._values["ATES_HOME"])

    @property
    def secrets(self) -> Path:
        """The folder of generated secrets. It may not exist yet."""
        return self.home / "secrets"

    def environment(self) -> dict[str, str]:
        """Every variable that has a value, for os.environ and for child processes.

        Generates the secrets that are missing.
        """
        values = dict(self._values)
        if (postgres := self.embedded_postgres()) is not None:
            values |= {name: postgres.url(database) for name, database in DATABASES.items()}
            values |= {
                name: postgres.url(DATABASES[owner], READER) for name, owner in READERS.items()
            }
        values |= {name: values[name] or values[owner] for name, owner in READERS.items()}
        if (kafka := self.embedded_kafka()) is not None:
            values["KAFKA_BOOTSTRAP_SERVERS"] = kafka.bootstrap
            for user in ("relay", "ingest"):
                values[f"KAFKA_{user.upper()}_USERNAME"] = user
                values[f"KAFKA_{user.upper()}_PASSWORD"] = kafka.password(user)
        if self.is_mail_kept:
            values["SMTP_URL"] = f"smtp://127.0.0.1:{values['SMTP_PORT']}"
        for name in CLIENT_SECRETS:
            values[name] = values[name] or passwords.read_or_create(self.secrets, name.lower())
        return {name: text for name, text in values.items() if text}

    def embedded_postgres(self) -> PostgresServer | None:
        """Our own server, unless the environment names another."""
        if "DATABASE_URL" in self._is_given:
            return None
        return PostgresServer(self.home / "postgres", self.number("POSTGRES_PORT"), self.secrets)

    def embedded_kafka(self) -> KafkaServer | None:
        """Our own broker, unless the environment names another."""
        if "KAFKA_BOOTSTRAP_SERVERS" in self._is_given:
            return None
        return KafkaServer(
            self.home / "kafka",
            self.number("KAFKA_PORT"),
            self.number("KAFKA_CONTROLLER_PORT"),
            self.secrets,
            self["KAFKA_TOPIC_PREFIX"],
        )

    @property
    def is_mail_kept(self) -> bool:
        """Whether mail goes to the local mailbox."""
        return "SMTP_URL" not in self._is_given

    def _check_together(self) -> None:
        given = [name for name in DATABASES if name in self._is_given]
        if given and len(given) < len(DATABASES):
            missing = ", ".join(name for name in DATABASES if name not in given)
            raise SettingsError(f"{given[0]} is set, so {missing} must be set, too")
        if "KAFKA_BOOTSTRAP_SERVERS" in self._is_given:
            self._values["KAFKA_SECURITY_PROTOCOL"] = self["KAFKA_SECURITY_PROTOCOL"] or "PLAINTEXT"
        else:
            self._values["KAFKA_SECURITY_PROTOCOL"] = "SASL_PLAINTEXT"
            self._values["KAFKA_SASL_MECHANISM"] = MECHANISM
        owners: dict[str, str] = {}
        for name, variable in VARIABLES.items():
            if variable.unit is Unit.PORT:
                other = owners.setdefault(self[name], name)
                if other != name:
                    raise SettingsError(f"{name} and {other} are both {self[name]}")


def _given(name: str, environment: Mapping[str, str]) -> str:
    if text := environment.get(name, "").strip():
        return text
    if file := environment.get(f"{name}_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{name}_FILE cannot be read: {error}") from error
    return ""


def _checked(variable: Variable, text: str) -> str:
    """The value in its final form; raises SettingsError."""
    name = variable.name
    if variable.unit is Unit.PORT:
        _check_number(name, text, PORT_MAX)
    if variable.unit is Unit.COUNT:
        _check_number(name, text, TASK_PARTITIONS_MAX)
    if variable.unit in {Unit.DAYS, Unit.HOURS, Unit.MINUTES} and text:
        _check_number(name, text, SPAN_MAX)
    if variable.unit is Unit.ZONE and text not in zoneinfo.available_timezones():
        raise SettingsError(f"{name} must be an IANA time zone such as Europe/Berlin, not {text!r}")
    if name == "KAFKA_SECURITY_PROTOCOL" and text and text not in SECURITY_PROTOCOLS:
        raise SettingsError(f"{name} must be one of {', '.join(SECURITY_PROTOCOLS)}, not {text!r}")
    if name == "ALERT_MAIL_TO":
        _check_addresses(name, text)
    if name == "TRACKER_PROXIES":
        _check_networks(name, text)
    if name in CLIENT_SECRETS and text and len(text) < SECRET_LENGTH_MIN:
        raise SettingsError(f"{name} must have {SECRET_LENGTH_MIN} characters or more")
    if variable.unit is Unit.FOLDER and "://" not in text:
        return str(Path(text).expanduser().absolute())
    return text


def _check_addresses(name: str, text: str) -> None:
    for part in filter(None, map(str.strip, text.split(","))):
        local_part, _, domain = part.rpartition("@")
        if not local_part or not domain or not part.isprintable() or " " in part:
            raise SettingsError(f"{name} must be mail addresses with commas between, not {part!r}")


def _check_networks(name: str, text: str) -> None:
    for part in filter(None, map(str.strip, text.split(","))):
        try:
            ipaddress.ip_network(part)
        except ValueError as error:
            raise SettingsError(f"{name} holds no address or network: {error}") from error


def _check_number(name: str, text: str, maximum: int) -> None:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= maximum:
        raise SettingsError(f"{name} must be a whole number from 1 to {maximum}, not {text!r}")
