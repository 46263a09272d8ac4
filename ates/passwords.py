"""Generated secrets: one file each (0600) in a folder of their own (0700), never in `ps`."""

import os
import secrets
from pathlib import Path

SECRET_BYTES = 24


def read_or_create(folder: Path, name: str) -> str:
    """The secret called `name`; the first caller creates it, later and rival callers read it."""
    path = folder / name
    if not path.exists():
        _create(path, secrets.token_urlsafe(SECRET_BYTES))
    return path.read_text(encoding="ascii").strip()


def _create(path: Path, value: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # all or nothing: a rival never reads half a secret
    except FileExistsError:
        assert path.read_text(encoding="ascii"), f"{path} exists but is empty"
    finally:
        draft.unlink()
