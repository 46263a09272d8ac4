"""A whole installation as `ates up` starts it, in a folder and on ports of its own."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ates.settings import load
from ates.supervisor import Stack
from ates.supervisor.ports import choose_free
from ates.variables import VARIABLES


@contextlib.contextmanager
def installation() -> Iterator[dict[str, str]]:
    """Every service ready; gives the environment that leads to them."""
    ports = choose_free()
    around = {name: text for name, text in os.environ.items() if name not in VARIABLES}
    with tempfile.TemporaryDirectory(prefix="ates-bench-") as folder:
        Path(folder).chmod(0o711)  # the database's own system user passes through
        home = str(Path(folder) / "home")
        settings = load({**around, **ports, "ATES_HOME": home}, dotenv_file=None)
        with Stack(settings) as stack:
            stack.start(lambda *_: None)
            yield settings.environment()
