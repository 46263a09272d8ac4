"""docker-compose.yml without a container engine: its form, and that it starts what `ates up` does.

What this cannot show is whether the images behave; docs/operations.md says so.
"""

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from ates import settings
from ates.embedded.jars import read_lock
from ates.embedded.kafka import RECORD_BYTES_MAX
from ates.probes import Answers, Listens
from ates.services import Service, all_services
from ates.variables import VARIABLES
from tests.tidy.tree import ROOT

INTERPOLATION = re.compile(r"\$\{\w+:-(?P<default>[^}]*)\}")
STOCK_IMAGES = {"postgres": "postgres:18", "kafka": "apache/kafka:", "mailbox": "axllent/mailpit:"}
# Compose knows two ways to depend on a service; one that ends has done its work when it ended well.
CONDITIONS = {True: "service_completed_successfully", False: "service_healthy"}
SERVICES_WITHOUT_A_PORT = {"dagster-daemon"}

Compose = dict[str, Any]


@pytest.fixture(scope="module")
def compose() -> Compose:
    """The file with its interpolated defaults filled in."""
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    return yaml.safe_load(INTERPOLATION.sub(r"\g<default>", text))


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make secrets` writes."""
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    subprocess.run(["sh", ROOT / "deploy/make-secrets.sh", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def ours(compose: Compose) -> dict[str, Compose]:
    """Our own services in the file."""
    return {name: body for name, body in compose["services"].items() if name not in STOCK_IMAGES}


@pytest.fixture(scope="module")
def supervised(compose: Compose, secrets: Path) -> dict[str, Service]:
    """What `ates up` would start with the file's variables."""
    environment = environment_of(compose["services"]["relay"], secrets)
    loaded = settings.load(environment, dotenv_file=None)
    return {service.name: service for service in all_services(loaded)}


def environment_of(service: Compose, secrets: Path) -> dict[str, str]:
    values = {name: str(value or "") for name, value in service["environment"].items()}
    return {name: value.replace("/run/secrets", str(secrets)) for name, value in values.items()}


def test_file_obeys_the_compose_specification(compose: Compose) -> None:
    schema = json.loads((ROOT / "tests/data/compose-spec.json").read_text("utf-8"))

    jsonschema.Draft7Validator(schema).validate(compose)


def test_every_supervised_service_is_there_and_no_other(
    ours: dict[str, Compose], supervised: dict[str, Service]
) -> None:
    assert ours.keys() == supervised.keys()


def test_our_services_run_the_supervisors_commands(
    ours: dict[str, Compose], supervised: dict[str, Service]
) -> None:
    assert {name: body["command"] for name, body in ours.items()} == {
        name: ["ates", "serve", name] for name in supervised
    }


def test_stock_services_run_stock_images(compose: Compose) -> None:
    for name, image in STOCK_IMAGES.items():
        assert compose["services"][name]["image"].startswith(image)
        assert "build" not in compose["services"][name]


def test_kafka_is_as_the_embedded_one_in_version_and_limits(compose: Compose) -> None:
    [embedded] = [jar.version for jar in read_lock() if jar.name == "kafka-clients"]

    kafka = compose["services"]["kafka"]
    assert kafka["image"] == f"apache/kafka:{embedded}"
    assert kafka["environment"]["KAFKA_MESSAGE_MAX_BYTES"] == RECORD_BYTES_MAX


def test_variables_are_settings_and_every_setting_is_readable(
    ours: dict[str, Compose], secrets: Path
) -> None:
    for body in ours.values():
        environment = environment_of(body, secrets)
        names = {name.removesuffix("_FILE") for name in environment}

        assert names <= VARIABLES.keys()
        loaded = settings.load(environment, dotenv_file=None).environment()
        assert "@postgres:5432/" in loaded["DATABASE_URL"]
        for name in ("oidc_dashboards_secret", "oidc_dagster_secret", "oidc_pipelines_secret"):
            assert loaded[name.upper()] == (secrets / name).read_text()


def test_services_differ_in_no_variable(ours: dict[str, Compose]) -> None:
    common = ours["relay"]["environment"]

    assert [name for name, body in ours.items() if body["environment"] != common] == []


def test_browsers_and_containers_reach_the_tracker_under_one_name(
    ours: dict[str, Compose], secrets: Path
) -> None:
    tracker = ours["tracker"]
    url = urlsplit(environment_of(tracker, secrets)["TRACKER_URL"])

    assert url.hostname is not None
    assert url.hostname.endswith(".localhost"), "browsers take it for this machine"
    assert url.hostname in tracker["networks"]["default"]["aliases"]
    assert f"127.0.0.1:{url.port}:{url.port}" in tracker["ports"]


def test_no_secret_stands_in_the_file(compose: Compose, secrets: Path) -> None:
    files = {path.name for path in secrets.iterdir()}

    assert {name: f"./secrets/{name}" for name in files} == {
        name: body["file"] for name, body in compose["secrets"].items()
    }
    for body in compose["services"].values():
        for name, value in body.get("environment", {}).items():
            is_secret = re.search("PASSWORD|SECRET|DATABASE_URL|CATALOG_URL", name)
            assert not is_secret or value.startswith("/run/secrets/"), name
            assert not is_secret or value.rpartition("/")[2] in body["secrets"], name


def test_dependencies_are_the_supervisors(
    ours: dict[str, Compose], supervised: dict[str, Service], compose: Compose
) -> None:
    for name, service in supervised.items():
        depends_on = ours[name].get("depends_on", {})
        assert set(service.needs) <= depends_on.keys(), name
        for other, how in depends_on.items():
            is_ending = other in supervised and supervised[other].probe is None
            assert how == {"condition": CONDITIONS[is_ending]}, f"{name} needs {other}"
            assert is_ending or "healthcheck" in compose["services"][other]


def _host(ours: dict[str, Compose], name: str) -> str:
    """The service whose network it is in: its own, unless it shares another's."""
    return str(ours[name].get("network_mode", name)).removeprefix("service:")


def test_pages_are_published_on_loopback_only(
    ours: dict[str, Compose], supervised: dict[str, Service]
) -> None:
    for name, service in supervised.items():
        shown = next((each for each in supervised.values() if _host(ours, each.name) == name
                      and each.url), None)  # fmt: skip
        ports = [f"127.0.0.1:{shown.port}:{shown.port}"] if shown else []
        assert ours[name].get("ports", []) == ports, service.name


def test_servers_listen_to_other_containers(
    supervised: dict[str, Service], compose: Compose
) -> None:
    loopback = [
        name
        for name, service in supervised.items()
        if service.ports and any("127.0.0.1" in part for part in service.command)
        and not any(body.get("network_mode") == f"service:{name}"
                    for body in compose["services"].values())
    ]  # fmt: skip

    assert loopback == []
    assert compose["services"]["relay"]["environment"]["TRACKER_HOST"] == "0.0.0.0"  # noqa: S104 - only read here


def test_health_checks_ask_what_the_supervisor_asks(
    ours: dict[str, Compose], supervised: dict[str, Service]
) -> None:
    for name, service in supervised.items():
        test = ours[name].get("healthcheck", {}).get("test")
        match service.probe:
            case Answers(port=port, path=path):
                assert f"http://127.0.0.1:{port}{path}" in test[-1]
            case Listens(port=port):
                assert f"('{name}', {port})" in test[-1]
            case None:
                assert test is None
            case _:
                assert name in SERVICES_WITHOUT_A_PORT


def test_health_checks_fail_when_nobody_answers(ours: dict[str, Compose]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        test = ours["tracker"]["healthcheck"]["test"][1:]
        command = [sys.executable, *(part.replace("8000", str(port)) for part in test[1:])]

        assert subprocess.run(command, check=False, capture_output=True).returncode != 0


def test_databases_of_the_urls_are_created(compose: Compose, secrets: Path) -> None:
    created = re.findall(r"create database (\w+)", compose["configs"]["databases"]["content"])
    created.append(compose["services"]["postgres"]["environment"]["POSTGRES_DB"])

    assert sorted(created) == sorted(
        path.read_text().rpartition("/")[2] for path in secrets.glob("*_database_url")
    )


def test_stops_are_as_patient_as_the_supervisor(
    ours: dict[str, Compose], supervised: dict[str, Service]
) -> None:
    patience_seconds = {name: body.get("stop_grace_period", "10s") for name, body in ours.items()}

    for name, service in supervised.items():
        if service.stop_seconds_max > 15:
            assert int(patience_seconds[name].removesuffix("s")) >= service.stop_seconds_max


def test_image_holds_every_package_and_never_runs_as_root() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    packages = re.findall(r"^COPY (\w+)/ \1/$", text, re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text("utf-8")

    assert {"contracts", "ops_api", "pipelines", "warehouse", "dashboards", "ates"} < set(packages)
    assert "--require-hashes" in text
    assert re.search(r"^USER ates$", text, re.MULTILINE)
    for name in packages:
        assert f"!{name}/" in ignored


def test_secrets_are_written_once(secrets: Path) -> None:
    before = {path.name: path.read_text() for path in secrets.iterdir()}

    shell = shutil.which("sh")
    assert shell is not None
    subprocess.run([shell, ROOT / "deploy/make-secrets.sh", secrets], check=True)

    assert {path.name: path.read_text() for path in secrets.iterdir()} == before
    assert secrets.stat().st_mode & 0o077 == 0
