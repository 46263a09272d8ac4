"""Settings: defaults, secrets, and what a URL in the environment replaces."""

import importlib
import stat
from pathlib import Path

import msgspec
import pytest

from ates import settings, variables
from ates.services import all_services
from contracts.environment import SettingsError, read_environment

ROOT = Path(__file__).parents[2]
PACKAGES = ("ops_api", "pipelines", "warehouse", "dashboards")


def load(tmp_path: Path, **given: str) -> settings.Settings:
    return settings.load({"ATES_HOME": str(tmp_path), **given}, dotenv_file=None)


def names_of_services(loaded: settings.Settings) -> set[str]:
    return {service.name for service in all_services(loaded)}


def test_the_example_file_lists_every_variable_with_its_default() -> None:
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == variables.example()


def test_an_uncommented_example_file_changes_nothing(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    dotenv_file = tmp_path / ".env"
    lines = [line.removeprefix("#") for line in example.splitlines() if not line.startswith("# ")]
    dotenv_file.write_text("\n".join(lines).replace("=.ates", f"={tmp_path / 'home'}"))

    from_file = settings.load({}, dotenv_file)

    assert from_file.environment() == load(tmp_path / "home").environment()


def test_every_setting_a_package_reads_is_a_variable() -> None:
    for package in PACKAGES:
        module = importlib.import_module(f"{package}.settings")
        kinds = [k for k in vars(module).values() if isinstance(k, type)]
        for kind in kinds:
            if issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__:
                required = {
                    field.name.upper() for field in msgspec.structs.fields(kind) if field.required
                }
                assert required <= variables.VARIABLES.keys(), kind


def test_every_package_finds_its_settings_in_the_environment(tmp_path: Path) -> None:
    environment = load(tmp_path).environment()
    for package in PACKAGES:
        module = importlib.import_module(f"{package}.settings")
        for kind in vars(module).values():
            is_ours = isinstance(kind, type) and kind.__module__ == module.__name__
            if is_ours and issubclass(kind, msgspec.Struct):
                read_environment(kind, environment)


def test_loading_writes_nothing(tmp_path: Path) -> None:
    load(tmp_path / "home")

    assert not (tmp_path / "home").exists()


def test_secrets_are_private_and_stay_the_same(tmp_path: Path) -> None:
    first, second = load(tmp_path).environment(), load(tmp_path).environment()

    assert first == second
    files = list((tmp_path / "secrets").iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert first["OIDC_PIPELINES_SECRET"] != first["KAFKA_RELAY_PASSWORD"]


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a-token-from-a-file\n")

    loaded = load(tmp_path, OIDC_DAGSTER_SECRET_FILE=str(file))

    assert loaded.environment()["OIDC_DAGSTER_SECRET"] == "a-token-from-a-file"


def test_by_default_everything_is_embedded(tmp_path: Path) -> None:
    assert {"postgres", "kafka", "mailbox"} <= names_of_services(load(tmp_path))


def test_database_urls_replace_the_embedded_server(tmp_path: Path) -> None:
    urls = {name: f"postgresql+psycopg2://u:p@db/{name}" for name in settings.DATABASES}

    loaded = load(tmp_path, **urls)

    assert "postgres" not in names_of_services(loaded)
    assert urls.items() <= loaded.environment().items()


def test_one_database_url_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LAKE_CATALOG_URL, DAGSTER_DATABASE_URL must be set"):
        load(tmp_path, DATABASE_URL="postgresql+psycopg2://u:p@db/tracker")


def test_a_cluster_replaces_the_embedded_broker(tmp_path: Path) -> None:
    loaded = load(tmp_path, KAFKA_BOOTSTRAP_SERVERS="kafka:9092")

    assert "kafka" not in names_of_services(loaded)
    environment = loaded.environment()
    assert environment["KAFKA_BOOTSTRAP_SERVERS"] == "kafka:9092"
    assert environment["KAFKA_SECURITY_PROTOCOL"] == "PLAINTEXT"
    assert "KAFKA_RELAY_PASSWORD" not in environment


def test_an_smtp_url_replaces_the_mailbox(tmp_path: Path) -> None:
    loaded = load(tmp_path, SMTP_URL="smtps://mail.example:465")

    assert "mailbox" not in names_of_services(loaded)
    assert loaded.environment()["SMTP_URL"] == "smtps://mail.example:465"


def test_nobody_needs_a_service_that_was_replaced(tmp_path: Path) -> None:
    services = all_services(load(tmp_path, KAFKA_BOOTSTRAP_SERVERS="kafka:9092"))

    seen: set[str] = set()
    for service in services:
        assert seen.issuperset(service.needs), service.name
        seen.add(service.name)


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    dotenv_file = tmp_path / ".env"
    dotenv_file.write_text("KAFKA_PORT=1111\nSMTP_PORT=2222\n")

    loaded = settings.load({"ATES_HOME": str(tmp_path), "KAFKA_PORT": "3333"}, dotenv_file)

    assert (loaded.number("KAFKA_PORT"), loaded.number("SMTP_PORT")) == (3333, 2222)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("KAFKA_PORT", "many", "KAFKA_PORT must be a whole number from 1 to 65535, not 'many'"),
        ("KAFKA_PORT", "70000", "KAFKA_PORT must be a whole number from 1 to 65535"),
        ("KAFKA_PORT", "8000", "are both 8000"),
        ("KAFKA_TASK_PARTITIONS", "0", "KAFKA_TASK_PARTITIONS must be a whole number from 1"),
        ("RESET_LINK_MINUTES", "0", "RESET_LINK_MINUTES must be a whole number from 1 to 1000"),
        ("BUSINESS_TIMEZONE", "Mars/Base", "BUSINESS_TIMEZONE must be an IANA time zone"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS", "KAFKA_SECURITY_PROTOCOL must be one of"),
        ("OIDC_DAGSTER_SECRET", "short", "OIDC_DAGSTER_SECRET must have 16 characters"),
        ("DATABASE_URL_FILE", "/nonexistent/file", "DATABASE_URL_FILE cannot be read"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load(tmp_path, **{name: text})
