"""Java's ahead-of-time cache: what the broker's first run on a machine learned, for all later ones.

It halves the broker's start. The first run records and leaves a draft when it ends; the next start
takes the draft into use once Java itself accepts it. Without any cache all works, only slower.
"""

import hashlib
import os
import subprocess
import time
from pathlib import Path

VALIDATION_SECONDS_MAX = 30
DRAFT_AGE_SECONDS_MAX = 3_600  # an older one was cut short: by kill -9, or a full disk


def flags(java: str, class_path: str, jvm_flags: tuple[str, ...], folder: Path) -> list[str]:
    """What to add to the command line: use the cache in this folder, or record one."""
    key = hashlib.sha256("\n".join([java, class_path, *jvm_flags]).encode()).hexdigest()[:16]
    cache = folder / f"kafka-{key}.aot"
    if not cache.exists():
        _adopt_draft(cache, [java, *jvm_flags, "-cp", class_path])
    quiet = "-Xlog:aot*=off"
    if cache.exists():
        return [quiet, f"-XX:AOTCache={cache}"]
    return [quiet, f"-XX:AOTCacheOutput={cache}.draft-{os.getpid()}"]


def _adopt_draft(cache: Path, java: list[str]) -> None:
    for path in cache.parent.glob(f"{cache.name}.draft-*"):
        is_whole_draft = path.suffix != ".config"  # Java's notes while it writes the draft
        if is_whole_draft and _is_accepted(path, java):
            path.replace(cache)
            return
        if time.time() - path.stat().st_mtime > DRAFT_AGE_SECONDS_MAX:
            path.unlink(missing_ok=True)


def _is_accepted(draft: Path, java: list[str]) -> bool:
    """Whether Java starts with it when it may not start without it."""
    words = [*java, "-XX:AOTMode=on", f"-XX:AOTCache={draft}", "-version"]
    try:
        result = subprocess.run(
            words,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=VALIDATION_SECONDS_MAX,
        )
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0
