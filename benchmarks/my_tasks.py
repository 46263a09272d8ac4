"""The page of one's own tasks, made by the tracker among 100,000 tasks in the table."""

import random
import statistics
import tempfile
import time
from uuid import UUID

import sqlalchemy as sa
from flask.testing import FlaskClient

from benchmarks.ratio import Ratio
from benchmarks.reassign import add_workers
from benchmarks.servers import servers
from ops_api.app import create_app
from ops_api.auth.sessions import start_session
from ops_api.clock import system_clock
from ops_api.database import create_engine
from ops_api.settings import TrackerSettings
from ops_api.web.guard import COOKIE
from ops_api.web.state import EXTENSION

COUNT_TASKS = 100_000
ALLOWED_MILLISECONDS = 20.0
PAGES = 200
WARM_PAGES = 20

FILL = sa.text("""
insert into tasks (
    task_id, title, jira_id, status, assignee_id, fee_cents, reward_cents, assignment_number,
    version, created_by, created_at, completed_at
)
select uuidv7(age), 'Sweep the roof and count the parrots, number ' || n, 'POPUG-' || n,
    case n / 1000 % 2 when 0 then 'open' else 'done' end, ids[1 + n % cardinality(ids)],
    1000 + n / 7 % 11 * 100, 2000 + n / 5 % 21 * 100, 1 + n / 3 % 2, 4, ids[1],
    now() + age, case n / 1000 % 2 when 0 then null else now() end
from generate_series(1, :count) as n,
    make_interval(mins => n - :count) as age,
    (select array_agg(employee_id) as ids from employees) as staff
""")


def run() -> list[Ratio]:
    """The median of many whole pages, in milliseconds from request to packed answer."""
    url = servers().tracker_database()
    engine = create_engine(url)
    cookie = _fill(engine)
    settings = TrackerSettings(
        database_url=url,
        tracker_url="http://localhost",
        tracker_host="127.0.0.1",
        tracker_port=8000,
        dashboards_url="http://localhost:8501",
        dagster_url="http://localhost:3000",
        oidc_keys_path=tempfile.mkdtemp(prefix="ates-bench-keys-"),
        oidc_dashboards_secret="secret-of-the-dashboards",
        oidc_dagster_secret="secret-of-the-dagster-gate",
        oidc_pipelines_secret="secret-of-the-pipelines",
    )
    app = create_app(settings, engine, system_clock, random.SystemRandom())
    client = app.test_client()
    client.set_cookie(COOKIE, cookie)
    spent = [_page_milliseconds(client) for _ in range(WARM_PAGES + PAGES)][WARM_PAGES:]
    app.extensions[EXTENSION].reader.dispose()
    engine.dispose()
    measured = statistics.median(spent)
    return [
        Ratio(
            name="page of my tasks among 100,000",
            ours=measured,
            baseline=ALLOWED_MILLISECONDS,
            ratio=ALLOWED_MILLISECONDS / measured,
            goal=1,
            unit="ms",
        )
    ]


def _fill(engine: sa.Engine) -> str:
    """Many workers with as many tasks each, half of them done; gives one worker's session."""
    with engine.begin() as connection:
        worker_id: UUID = add_workers(connection)
        connection.execute(FILL, {"count": COUNT_TASKS})
        cookie = start_session(connection, employee_id=worker_id, now=system_clock())
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("vacuum analyze tasks"))
    return cookie


def _page_milliseconds(client: FlaskClient) -> float:
    headers = {"Accept": "text/html", "Accept-Encoding": "gzip"}
    started = time.perf_counter()
    response = client.get("/", headers=headers)
    elapsed = time.perf_counter() - started
    assert response.status_code == 200, response.status
    return elapsed * 1000
