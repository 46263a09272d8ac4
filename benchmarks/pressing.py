"""Two managers press reassign every second for a minute, while twenty employees complete tasks.

A whole installation as `ates up` starts it. What counts is what nobody may ever see: a failure of
the server, a deadlock, a cent that does not add up afterwards.
"""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import requests
import sqlalchemy as sa

from ates import reach
from ates.commands.wait import wait_until_settled
from benchmarks.installation import installation
from benchmarks.ratio import Ratio
from benchmarks.reassign import add_workers, context
from ops_api.auth.sessions import start_session
from ops_api.clock import system_clock
from ops_api.employees.commands import register_employee
from ops_api.tasks.commands import create_task
from ops_api.web.guard import COOKIE
from warehouse.checks import verify

COUNT_OPEN = 1_000
MANAGERS = 2
CLIENTS = 20
SECONDS = 60
PRESSES_GOAL = 0.95  # of one a second and manager, for the last one may end after the minute
LISTED = 3
ANSWER_SECONDS_MAX = 30
SETTLE_SECONDS_MAX = 300

WORKERS = sa.text("select employee_id from employees where role = 'worker' limit :count")
DEADLOCKS = sa.text("select deadlocks from pg_stat_database where datname = current_database()")

Turn = Callable[[requests.Session], None]


def run() -> list[Ratio]:
    """How many presses were answered, and how much went wrong: none of it may."""
    with installation() as environment:
        with reach.tracker_engine(environment) as engine:
            managers, workers = _people(engine)
            desk = _Desk(environment["TRACKER_URL"])
            desk.spend(SECONDS, [(each, desk.press) for each in managers]
                       + [(each, desk.work) for each in workers])  # fmt: skip
            with engine.connect() as connection:
                count_deadlocks = connection.execute(DEADLOCKS).scalar_one()
        reasons = wait_until_settled(environment, SETTLE_SECONDS_MAX)
        with reach.lake_and_tracker(environment) as lake:
            findings = verify(lake).findings
    assert not reasons, reasons
    print(f"{desk}; {len(findings)} checks")  # what the ratios come from
    presses = desk.answers["reassign", 200] / (MANAGERS * SECONDS)
    return [
        Ratio(
            name="reassign pressed by two managers",
            ours=desk.answers["reassign", 200],
            baseline=MANAGERS * SECONDS,
            ratio=presses,
            goal=PRESSES_GOAL,
            unit="presses",
        ),
        _none("meanwhile failures of the server", desk.count_failures(), "answers"),
        _none("meanwhile deadlocks", count_deadlocks, "deadlocks"),
        _none(
            "afterwards `ates verify`",
            sum(each.count_offending > 0 for each in findings),
            "failing checks",
        ),
    ]


class _Desk:
    """The tracker as everybody uses it at once, and what it answered."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v1"
        self.answers: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return ", ".join(
            f"{what} {status}: {count:,}" for (what, status), count in sorted(self.answers.items())
        )

    def spend(self, seconds: float, people: Sequence[tuple[str, Turn]]) -> None:
        """Everybody, by their cookie, does one turn after the other until time is up."""
        end = time.monotonic() + seconds

        def stay(cookie: str, turn: Turn) -> None:
            with requests.Session() as session:
                session.trust_env = False
                session.cookies.set(COOKIE, cookie)
                while time.monotonic() < end:
                    turn(session)

        with ThreadPoolExecutor(len(people)) as pool:
            for done in [pool.submit(stay, *person) for person in people]:
                done.result()

    def press(self, session: requests.Session) -> None:
        """Reassign, and rest for what is left of the second."""
        due_at = time.monotonic() + 1
        self._send(session, "reassign", "/tasks/reassign")
        time.sleep(max(0.0, due_at - time.monotonic()))

    def work(self, session: requests.Session) -> None:
        """Complete some of one's own tasks, and create as many new ones."""
        answer = session.get(f"{self._url}/tasks?limit={LISTED}", timeout=ANSWER_SECONDS_MAX)
        self._count("list", answer)
        for task in answer.json().get("tasks", ()):
            done = self._send(session, "complete", f"/tasks/{task['task_id']}/complete")
            if done.ok:
                self._send(session, "create", "/tasks", title="Sweep the roof again")

    def count_failures(self) -> int:
        """Answers that say it was the server's fault."""
        return sum(count for (_, status), count in self.answers.items() if status >= 500)

    def _send(
        self, session: requests.Session, what: str, path: str, **body: str
    ) -> requests.Response:
        answer = session.post(
            self._url + path,
            json=body,
            headers={"Idempotency-Key": str(uuid4())},
            timeout=ANSWER_SECONDS_MAX,
        )
        self._count(what, answer)
        return answer

    def _count(self, what: str, answer: requests.Response) -> None:
        with self._lock:
            self.answers[what, answer.status_code] += 1


def _people(engine: sa.Engine) -> tuple[list[str], list[str]]:
    """The cookies of managers and of workers, who have some open tasks by now."""
    with engine.begin() as connection:
        add_workers(connection)
        manager = register_employee(
            connection, context(), name="Manager", email="m@example.com", role="manager"
        )
        workers = list(connection.execute(WORKERS, {"count": CLIENTS}).scalars())
    for author in itertools.islice(itertools.cycle(workers), COUNT_OPEN):
        with engine.begin() as connection:
            create_task(connection, context(author), title="Sweep the roof")
    with engine.begin() as connection:

        def cookie(employee_id: UUID) -> str:
            return start_session(connection, employee_id=employee_id, now=system_clock())

        managers = [cookie(manager.employee_id) for _ in range(MANAGERS)]
        return managers, [cookie(each) for each in workers]


def _none(name: str, count: int, unit: str) -> Ratio:
    """A row of what may not happen at all."""
    return Ratio(name=name, ours=count, baseline=0, ratio=float(count == 0), goal=1, unit=unit)
