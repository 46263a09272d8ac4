"""Giving up root for a server that refuses it, even where only root may enter its folders.

A fresh machine or container often runs as root with everything under /root (mode 0700). Opening
those folders to everybody would be worse than what we do: the server keeps one single capability,
to pass through folders, and is an ordinary user otherwise. Linux only; elsewhere nobody is root.
"""

import ctypes
import os
import pwd
import stat
from collections.abc import Sequence
from pathlib import Path

UNPRIVILEGED_USER = "nobody"
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_READ_SEARCH = 2  # enough, but containers often lack it
CAP_DAC_OVERRIDE = 1


class UnreachableError(RuntimeError):
    """The unprivileged user cannot enter a folder; the message names it and what to do."""


def unprivileged_user() -> pwd.struct_passwd | None:
    """Who runs a server that refuses root; None when we are not root."""
    return pwd.getpwnam(UNPRIVILEGED_USER) if os.geteuid() == 0 else None


def become(user: pwd.struct_passwd, needed: Sequence[Path]) -> None:
    """Give up root for good, in this process and what it starts, and still reach `needed`.

    Clears a previous `die_with_parent`. Raises UnreachableError.
    """
    closed = [folder for path in needed for folder in _closed_folders(path)]
    libc = ctypes.CDLL(None, use_errno=True)
    if closed:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    if closed and not any(_keep(libc, each) for each in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE)):
        raise UnreachableError(
            f"user {user.pw_name} cannot enter {closed[0]}: run as an ordinary user, or "
            f"`chmod o+x {closed[0]}`, or move ATES_HOME and the installation elsewhere"
        )


def _closed_folders(path: Path) -> list[Path]:
    """Folders above `path` that strangers cannot pass through."""
    return [folder for folder in path.parents if not folder.stat().st_mode & stat.S_IXOTH]


def _keep(libc: ctypes.CDLL, capability: int) -> bool:
    """Hold exactly this capability, over exec too; False when we never had it."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable
    if libc.capset(header, sets) != 0:
        return False
    return bool(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0)
