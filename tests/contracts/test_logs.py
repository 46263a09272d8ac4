"""Log lines: one form for all processes, and nothing in a value can break a line."""

import logging
import re
import subprocess
import sys
import uuid

from contracts import logs

PROGRAM = """
import logging
from contracts import logs
logs.configure()
logs.configure()
logging.getLogger("ates.test").info(logs.line("told", count=1))
"""


def test_a_line_is_pairs_of_names_and_values() -> None:
    subject = uuid.uuid4()

    line = logs.line("published", subject=subject, pages=3, seconds=0.12345, actor=None)

    assert line == f"event=published subject={subject} pages=3 seconds=0.123"


def test_odd_values_stay_in_one_line_and_in_their_field() -> None:
    line = logs.line("x", title='a "b"\r\nevent=forged actor=admin', long="y" * 1000)

    assert "\n" not in line
    assert "\r" not in line
    assert line.startswith('event=x title="a \\"b\\"\\r\\nevent=forged actor=admin" long=yyy')
    assert len(line) < 300


def test_a_process_writes_one_utc_line_to_stderr_however_often_it_is_set_up() -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True,
        env={"TZ": "Asia/Tokyo"},
    )  # fmt: skip

    (line,) = result.stderr.splitlines()
    assert re.fullmatch(
        r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=INFO logger=ates.test event=told count=1",
        line,
    )
    assert logging.Formatter.converter is not None


def test_of_talkative_loggers_only_warnings_are_kept() -> None:
    program = """
import logging
from contracts import logs, serving
logs.configure(talkative=serving.TALKATIVE)
logging.getLogger("uvicorn.access").info("GET /oauth2callback?code=secret")
logging.getLogger("uvicorn.error").warning("told")
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert [line.split(" ", 1)[1] for line in result.stderr.splitlines()] == [
        "level=WARNING logger=uvicorn.error told"
    ]
