"""The alert rules speak of figures that the code exports, and each has its page."""

import re
from typing import Any

import pytest
import yaml
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

import ops_api.outbox.metrics
import pipelines.metrics
from ates import settings
from ates.services import all_services
from pipelines.incidents.kinds import KINDS
from tests.ops_api.http import service
from tests.tidy.tree import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
METRIC = re.compile(r"\b(ates_\w+)(?:\{(?P<labels>[^}]*)\})?")
LABEL = re.compile(r"(\w+)\s*[=!]~?")


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    """Every rule of the file."""
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture
def exported(app: Flask) -> dict[str, set[str]]:
    """Every sample that the programs export, with its labels.

    Scraped from a tracker in whose process the figures of the others are registered, too.
    """
    assert ops_api.outbox.metrics.FAILURES
    pipelines.metrics.INGEST_EVENTS.labels("task.created")
    for state in pipelines.metrics.MAIL_STATES:
        pipelines.metrics.MAIL_DELIVERIES.labels(state)
    client = service(app)
    client.get("/health")
    scrape = client.get("/metrics").text
    return {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(scrape)
        for sample in family.samples
    }


def test_rules_name_only_figures_and_labels_that_are_exported(
    rules: list[dict[str, Any]], exported: dict[str, set[str]]
) -> None:
    for rule in rules:
        found = METRIC.findall(rule["expr"])
        assert found or "up{" in rule["expr"], rule["alert"]
        for name, labels in found:
            assert name in exported, f"{rule['alert']} speaks of {name}"
            assert set(LABEL.findall(labels)) <= exported[name], rule["alert"]


def test_each_rule_and_kind_of_incident_has_its_page_and_each_page_one_of_them(
    rules: list[dict[str, Any]],
) -> None:
    text = (ROOT / "docs/runbooks.md").read_text("utf-8")
    pages = re.findall(r"^## (\w+)$", text, re.MULTILINE)
    of_kinds = {kind.runbook for kind in KINDS.values()}

    assert sorted(pages) == sorted({rule["alert"] for rule in rules} | of_kinds)
    assert all(kind.page == f"docs/runbooks.md#{kind.runbook.lower()}" for kind in KINDS.values())
    for rule in rules:
        assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_every_target_is_a_port_of_the_defaults() -> None:
    loaded = settings.load({}, dotenv_file=None)
    ports = {port for service in all_services(loaded) for port in service.ports.values()}
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    targets = [
        target for job in jobs for each in job["static_configs"] for target in each["targets"]
    ]

    assert {int(target.rpartition(":")[2]) for target in targets} <= ports
    assert {job["job_name"] for job in jobs} == {"tracker", "relay", "pipelines"}
