"""Java's cache is used only when Java itself accepts it."""

import os
import subprocess
from pathlib import Path

from ates.embedded import jars, warmth

FLAGS = ("-XX:+UseSerialGC",)


def ask(folder: Path) -> list[str]:
    return warmth.flags(jars.java(), "/nowhere.jar", FLAGS, folder)


def output_of(flags: list[str]) -> Path:
    return Path(flags[-1].removeprefix("-XX:AOTCacheOutput="))


def test_the_first_run_records_and_the_next_uses_it(tmp_path: Path) -> None:
    first = ask(tmp_path)
    words = [jars.java(), *FLAGS, *first, "-cp", "/nowhere.jar", "-version"]
    subprocess.run(words, check=True, capture_output=True)

    second = ask(tmp_path)

    assert output_of(first).name.endswith(f".draft-{os.getpid()}")
    assert second[-1].startswith("-XX:AOTCache=")
    assert Path(second[-1].removeprefix("-XX:AOTCache=")).exists()


def test_a_draft_that_was_cut_short_is_not_used(tmp_path: Path) -> None:
    draft = output_of(ask(tmp_path))
    draft.write_bytes(b"half a cache" * 1000)

    assert ask(tmp_path)[-1].startswith("-XX:AOTCacheOutput=")
    os.utime(draft, (0, 0))
    ask(tmp_path)

    assert not draft.exists()
