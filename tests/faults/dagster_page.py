"""Dagster's web server as a data engineer uses it: backfills of payouts, over its GraphQL."""

import contextlib
import time
from typing import Any

import requests

from pipelines.gateway.rules import ACCESS_HEADER, Access
from tests.faults.world import RECOVERY_SECONDS_MAX, REQUEST_SECONDS_MAX, World

BACKFILL_SECONDS_MAX = 150.0
NAP_SECONDS = 0.1
PARTITIONS = """
query { assetNodeOrError(assetKey: {path: ["ledger", "payouts"]}) {
    ... on AssetNode { partitionKeys } } }
"""
START = """
mutation($keys: [String!]!) { launchPartitionBackfill(backfillParams: {
    assetSelection: [{path: ["ledger", "payouts"]}], partitionNames: $keys}) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
STATE = """
query($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status error { message } } } }
"""
RUNS = """
query($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results { status } } } }
"""
AS_THE_GATE = {ACCESS_HEADER: Access.FULL.value}
UNFINISHED = ["STARTING", "STARTED", "CANCELING", "QUEUED"]


class DagsterPage:
    """Asks until an answer comes: the process that answers may just have been killed."""

    def __init__(self, world: World) -> None:
        self._url = f"http://127.0.0.1:{world.environment['DAGSTER_WEB_PORT']}/graphql"

    def start_backfill(self) -> str:
        """Of every certified day, in one run; its id."""
        keys = self._ask(PARTITIONS)["assetNodeOrError"]["partitionKeys"]
        assert keys, "no certified day is known to Dagster"
        answer = self._ask(START, keys=keys)["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer
        return str(answer["backfillId"])

    def wait_for_a_running_run(self, backfill_id: str) -> None:
        """Return while one of its runs is under way; fails if it ends unseen."""
        wanted = {"tags": [{"key": "dagster/backfill", "value": backfill_id}]}
        deadline = time.monotonic() + BACKFILL_SECONDS_MAX
        while not {"STARTING", "STARTED"} & set(self._statuses(wanted)):
            assert time.monotonic() < deadline, "the backfill asks for no run"
            time.sleep(NAP_SECONDS)

    def wait_until_completed(self, backfill_id: str) -> None:
        """Return when every partition of it is made; fails if the backfill does."""
        deadline = time.monotonic() + BACKFILL_SECONDS_MAX
        while True:
            found = self._ask(STATE, id=backfill_id)["partitionBackfillOrError"]
            if found["status"] == "COMPLETED_SUCCESS":
                return
            assert "FAIL" not in found["status"], found
            assert time.monotonic() < deadline, found
            time.sleep(NAP_SECONDS)

    def count_unfinished_runs(self) -> int:
        """Runs that are queued or under way."""
        return len(self._statuses({"statuses": UNFINISHED}))

    def _statuses(self, wanted: dict[str, Any]) -> list[str]:
        results = self._ask(RUNS, filter=wanted)["runsOrError"]["results"]
        return [str(each["status"]) for each in results]

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        deadline = time.monotonic() + RECOVERY_SECONDS_MAX
        asked = {"json": {"query": query, "variables": variables}, "headers": AS_THE_GATE}
        while True:
            with contextlib.suppress(requests.ConnectionError, requests.Timeout):
                answer = requests.post(self._url, timeout=REQUEST_SECONDS_MAX, **asked).json()
                if answer.get("data"):
                    data: dict[str, Any] = answer["data"]
                    return data
            assert time.monotonic() < deadline, f"no answer: {query}"
            time.sleep(NAP_SECONDS)
