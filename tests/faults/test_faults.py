"""Each fault against real processes: afterwards `ates verify` is clean and nothing is lost.

The order counts once: the import comes first, while its days are still open.
"""

import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from ates.embedded.process import free_port
from tests.faults.dagster_page import DagsterPage
from tests.faults.world import World

pytestmark = [pytest.mark.faults, pytest.mark.installation, pytest.mark.timeout(600)]

PAYOUT_WAIT_SECONDS_MAX = 180.0
BIG_RECORD_BYTES = 5_000_000


def test_mail_sink_down_payouts_are_made_and_each_mail_leaves_later_once(
    world: World, small_log: tuple[Path, Path]
) -> None:
    log, mapping = small_log
    with world.stopped("mailbox"):
        world.ates("import", str(log), "--mapping", str(mapping), "--shift-to-now", "--send-mail")
        deadline = time.monotonic() + PAYOUT_WAIT_SECONDS_MAX
        while not (paid := world.export("payouts")):
            assert time.monotonic() < deadline, "no payout without a mail server"
            time.sleep(1)
        assert {row["mail_state"] for row in paid} != {"sent"}

    world.check()

    payouts = world.export("payouts")
    assert payouts
    assert {row["mail_state"] for row in payouts} == {"sent"}
    kept = list((world.home / "mailbox").rglob("*.eml"))
    assert len(kept) == len(payouts)


def test_kafka_stopped_for_the_length_of_1000_commands_loses_nothing(world: World) -> None:
    with world.stopped("kafka"):
        for number in range(334):
            for worker in world.workers:
                worker.create(f"while Kafka is down {number}")

    world.check()


def test_wiped_broker_is_healed_from_the_event_log(world: World) -> None:
    with world.working():
        time.sleep(2)
        with world.stopped("kafka"):
            time.sleep(1)
            shutil.rmtree(world.home / "kafka" / "data")
        time.sleep(2)

    world.check()


@pytest.mark.parametrize(
    "name",
    ["relay", "tracker", "dagster-code", "dagster-daemon", "kafka", "postgres", "mailbox"],
)
def test_killed_in_the_middle_of_work_nothing_is_lost_or_doubled(world: World, name: str) -> None:
    with world.working():
        time.sleep(1)
        world.kill_and_wait(name)
        time.sleep(2)
        world.manager.reassign()
        time.sleep(1)

    world.check()


def test_postgres_restarted_in_order_while_parrots_work(world: World) -> None:
    with world.working():
        time.sleep(1)
        with world.stopped("postgres"):
            pass
        time.sleep(1)

    world.check()


def test_two_relays_and_two_ingesters_do_the_work_once(world: World) -> None:
    rivals = [
        subprocess.Popen(
            [sys.executable, "-m", "ates.cli", name],
            env={**os.environ, **world.settings()}
            | {f"{name.upper()}_METRICS_PORT": str(free_port())},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name in ("relay", "ingest", "ingest")
    ]
    try:
        with world.working():
            time.sleep(4)
            world.kill_and_wait("relay")
            time.sleep(2)
        world.check()
    finally:
        for rival in rivals:
            rival.send_signal(signal.SIGTERM)
        codes = [rival.wait(60) for rival in rivals]
    assert codes == [0, 0, 0]


def test_day_close_called_ten_times_at_once_closes_each_day_once(world: World) -> None:
    token = _service_token(world)
    before = world.export("payouts")

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: _close_due(world, token), range(10)))

    assert answers == [200] * 10
    world.check()
    assert world.export("payouts") == before


def test_broken_unknown_and_huge_records_are_quarantined_and_stop_nothing(world: World) -> None:
    current = world.settings()
    options = {
        "bootstrap_servers": current["KAFKA_BOOTSTRAP_SERVERS"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "admin",
        "sasl_plain_password": (world.home / "secrets" / "kafka_admin_password")
        .read_text()
        .strip(),
    }
    unknown = {"specversion": "1.0", "type": "task.created", "dataschema": "task.created/99"}
    records = [b"{broken", json.dumps(unknown).encode(), b'"' + b"x" * BIG_RECORD_BYTES + b'"']
    topic = f"{current['KAFKA_TOPIC_PREFIX']}tasks"
    admin = KafkaAdminClient(**options)
    admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": "8000000"})]
    )
    admin.close()
    producer = KafkaProducer(**options, acks="all", max_request_size=8_000_000)
    for record in records:
        producer.send(topic, key=uuid.uuid4().bytes, value=record).get(30)
    producer.close()

    with world.working():
        time.sleep(3)

    world.check()
    assert _count_quarantined(world) >= len(records)


def test_a_backfill_goes_on_by_itself_whichever_process_of_dagster_is_killed(world: World) -> None:
    world.settle()
    dagster = DagsterPage(world)
    for names in (["dagster-code"], ["dagster-daemon", "dagster-web"]):
        backfill_id = dagster.start_backfill()
        dagster.wait_for_a_running_run(backfill_id)
        for name in names:
            world.kill_and_wait(name)
        dagster.wait_until_completed(backfill_id)

    assert dagster.count_unfinished_runs() == 0
    world.check()


def test_rebuilt_from_the_event_log_every_table_is_identical(world: World) -> None:
    world.settle()

    assert world.run("rebuild").returncode == 0
    assert "checks hold" in world.ates("verify")


def _close_due(world: World, token: str) -> int:
    import requests

    answer = requests.post(
        f"{world.url}/api/v1/business-days/close-due",
        json={},
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())},
        timeout=60,
    )
    return answer.status_code


def _service_token(world: World) -> str:
    import requests

    secret = world.settings()["OIDC_PIPELINES_SECRET"]
    answer = requests.post(
        f"{world.url}/oauth/token",
        auth=("pipelines", secret),
        data={"grant_type": "client_credentials"},
        timeout=60,
    )
    return str(answer.json()["access_token"])


def _count_quarantined(world: World) -> int:
    from contracts.environment import read_environment
    from warehouse import lake
    from warehouse.settings import LakeSettings

    settings = read_environment(LakeSettings, world.settings())
    with lake.connect(settings, read_only=True) as connection:
        row = connection.execute("select count(*) from lake.raw.quarantine").fetchone()
    assert row is not None
    return int(row[0])
