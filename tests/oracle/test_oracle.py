"""Import, ledger and payouts against the independent program: every task, posting and payout."""

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ops_api.database import create_engine
from ops_api.imports.commands import Options, import_log
from ops_api.imports.mapping import read_mapping
from ops_api.imports.reader import read_log
from tests.oracle.compare import differences, prices_of, read_csv
from tests.oracle.predict import Prediction, predict
from tests.warehouse.settled import fill_lake, move_everything
from warehouse.exports import write_export
from warehouse.settings import LakeSettings
from warehouse.tracker import attach_tracker

EXAMPLES = Path(__file__).parents[2] / "examples"
COMPARED = ("tasks", "employees", "postings", "payouts", "balances")

MAPPING = """
[columns]
ticket = "No"
time = "At"
worker = "Who"
status = "State"
title = "About"
[values]
done = ["closed", "cancelled"]
nobody = ["", "(none)"]
[time]
format = "{format}"
zone = "{zone}"
[file]
encoding = "cp1252"
delimiter = ";"
"""
BAD_ROWS = ("open;Ann;x;T1;no time;", "open;Ann;x;;{time};", "open;Ann;x;T1;{time}", "")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


def carry_out(
    engine: Engine, lake_settings: LakeSettings, log: Path, mapping: Path, folder: Path,
    *, now: dt.datetime, zone: str = "UTC", is_shifted: bool = False,
) -> Prediction:  # fmt: skip
    """Import a log, bring it into a lake, pay it, export everything, and predict the same."""
    rules = read_mapping(mapping)
    options = Options(business_timezone=zone, seed=5, is_shifted_to_now=is_shifted)
    import_log(engine, read_log(log, rules), rules, options, clock=lambda: now)
    move_everything(engine)
    lake = fill_lake(engine, lake_settings)
    attach_tracker(lake, engine.url.render_as_string(hide_password=False))
    for name in COMPARED:
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            write_export(lake, name, file)
    lake.close()
    prices = prices_of(read_csv(folder / "tasks.csv"))
    return predict(log, mapping, prices, zone=zone, now=now, shift_to_now=is_shifted)


def invent_log(path: Path, seed: int, pattern: str) -> None:
    """A log of odd days and hours around a change of the clocks, bad rows among the good."""
    rng = random.Random(seed)
    at = dt.datetime(2023, 10, 20, 3, 17, rng.randrange(60), tzinfo=dt.UTC)
    lines = ["State;Who;About;No;At;Other"]
    for number in range(300):
        at += dt.timedelta(minutes=rng.choice((0, 1, 45, 60, 400, 400, 3000)))
        when = at + dt.timedelta(minutes=rng.choice((0, 0, 0, -90)))
        time = when.strftime(pattern)
        ticket, worker = rng.randrange(40), rng.choice(("Ann", "Bob", " Zoë ", "", "(none)", "D"))
        state = rng.choice(("open", "open", "waiting", "closed", "cancelled"))
        lines.append(f"{state};{worker};no {number};T{ticket};{time};")
        if number % 50 == 7:
            lines.append(rng.choice(BAD_ROWS).format(time=time))
    path.write_text("\r\n".join(lines), encoding="cp1252")


@pytest.mark.parametrize(
    ("seed", "zone", "pattern", "is_shifted"),
    [
        (1, "America/New_York", "%Y-%m-%dT%H:%M:%S", False),
        (2, "Pacific/Apia", "%d.%m.%Y %H:%M:%S", True),
        (3, "Asia/Kolkata", "%m/%d/%Y %H:%M:%S", False),
    ],
)
def test_invented_logs_come_out_as_the_oracle_says(
    engine: Engine, lake_settings: LakeSettings, tmp_path: Path,
    seed: int, zone: str, pattern: str, is_shifted: bool,
) -> None:  # fmt: skip
    log, mapping = tmp_path / "log.csv", tmp_path / "mapping.toml"
    invent_log(log, seed, pattern)
    time_format = "iso8601" if "T" in pattern else pattern
    mapping.write_text(MAPPING.format(format=time_format, zone=zone))
    now = dt.datetime(2024, 3, 20, 6, 30, tzinfo=dt.UTC)

    prediction = carry_out(
        engine, lake_settings, log, mapping, tmp_path, now=now, zone=zone, is_shifted=is_shifted
    )

    assert differences(prediction, tmp_path) == []
    assert len(prediction.payouts) > 5
    assert min(prediction.balances.values()) < 0


@pytest.mark.timeout(400)
def test_the_volvo_log_comes_out_to_the_cent(
    engine: Engine, lake_settings: LakeSettings, tmp_path: Path
) -> None:
    log, mapping = EXAMPLES / "volvo-2013.csv.gz", EXAMPLES / "volvo-2013.toml"
    now = dt.datetime(2024, 6, 5, 14, 30, tzinfo=dt.UTC)

    prediction = carry_out(engine, lake_settings, log, mapping, tmp_path, now=now, is_shifted=True)

    assert differences(prediction, tmp_path) == []
    assert len(prediction.tasks) == 7554
    assert len(prediction.payouts) > 1000

    worker, day = next(iter(prediction.payouts))
    prediction.payouts[worker, day] += 1
    assert len(differences(prediction, tmp_path)) == 1
