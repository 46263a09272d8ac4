"""Objects that ticks share: what becomes of them when the process ends."""

import subprocess
import sys

PROGRAM = """
import threading
from contextlib import contextmanager
from pipelines.shared import Shared

worker_is_asked, worker_answers = threading.Event(), threading.Event()

def work():
    worker_is_asked.wait()
    worker_answers.set()

@contextmanager
def opened():
    yield
    worker_is_asked.set()
    print("closed with its thread:", worker_answers.wait(timeout=2), flush=True)

threading.Thread(target=work, daemon=True).start()
shared = Shared(opened)
with shared.use():
    pass
"""


def test_an_object_left_open_is_closed_while_its_daemon_thread_still_answers() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=True
    )
    assert ended.stdout == "closed with its thread: True\n"
