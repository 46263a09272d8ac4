"""The small server beside programs without pages: figures, liveness, readiness."""

import time
from collections.abc import Iterator

import pytest
import requests
from prometheus_client import Gauge

from ates import exporter
from ates.embedded.process import free_port
from contracts.environment import SettingsError

BEAT = Gauge("test_exporter_beat_timestamp_seconds", "A heartbeat of the tests.")
HEARTBEAT = exporter.Heartbeat("test_exporter_beat_timestamp_seconds", seconds_max=60)


@pytest.fixture
def url() -> Iterator[str]:
    """A running exporter."""
    port = free_port()
    server = exporter.start("127.0.0.1", port, HEARTBEAT)
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    server.server_close()


def test_ready_follows_the_heartbeat_and_alive_does_not(url: str) -> None:
    found = []
    for beat in (0.0, time.time(), time.time() - 61):
        BEAT.set(beat)
        found.append(requests.get(f"{url}/ready", timeout=5))
        assert requests.get(f"{url}/health", timeout=5).json() == {"status": "alive"}

    assert [each.status_code for each in found] == [503, 200, 503]
    assert found[0].json() == {"status": "it has not begun to work yet"}
    assert found[2].json()["status"].startswith("no sign of life for 6")


def test_figures_are_at_their_address_and_nothing_elsewhere(url: str) -> None:
    BEAT.set(1)

    assert (
        "test_exporter_beat_timestamp_seconds 1.0" in requests.get(f"{url}/metrics", timeout=5).text
    )
    assert requests.get(f"{url}/other", timeout=5).status_code == 404


def test_a_taken_port_is_told_as_a_setting_that_cannot_be(url: str) -> None:
    port = int(url.rpartition(":")[2])

    with pytest.raises(SettingsError, match=f"127.0.0.1:{port}"):
        exporter.start("127.0.0.1", port, HEARTBEAT)


def test_every_heartbeat_is_a_figure_of_the_code() -> None:
    from ops_api.outbox import metrics as of_relay
    from pipelines import metrics as of_pipelines

    for heartbeat, gauge in (
        (exporter.OF_RELAY, of_relay.LAST_TURN),
        (exporter.OF_INGEST, of_pipelines.INGEST_LAST_TURN),
    ):
        gauge.set_to_current_time()
        assert heartbeat.complaint() is None
