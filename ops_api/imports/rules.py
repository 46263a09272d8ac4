"""What one row of a log does to its ticket, and when: pure decisions, no I/O.

The rules are those of `docs/decisions/0020-imports-replay-a-log.md`. A second program, in
`tests/oracle/`, follows them without sharing a line, and both must agree to the cent.
"""

import datetime as dt
import enum
import hashlib
import re
import unicodedata
from collections.abc import Iterable

ADDRESS_DOMAIN = "example.com"
ADDRESS_NAME_LENGTH_MAX = 48
WEEK = dt.timedelta(weeks=1)

_NOT_IN_ADDRESS = re.compile(r"[^a-z0-9]+")


class Step(enum.Enum):
    """What a row does, in words; one that neither assigns nor completes is skipped."""

    CREATED = ("created", True, True, False)
    CREATED_AND_COMPLETED = ("created and completed", True, True, True)
    REASSIGNED = ("reassigned", False, True, False)
    REASSIGNED_AND_COMPLETED = ("reassigned and completed", False, True, True)
    COMPLETED = ("completed", False, False, True)
    UNCHANGED = ("same worker, not done", False, False, False)
    NOBODY = ("worker says nobody", False, False, False)
    AFTER_DONE = ("ticket already done", False, False, False)

    def __init__(self, words: str, creates: bool, assigns: bool, completes: bool) -> None:
        """`count_events` is how many events of the task the row makes."""
        self.words = words
        self.creates = creates
        self.assigns = assigns
        self.completes = completes
        self.count_events = creates + assigns + completes


def step_of(
    assignee: str | None, *, was_done: bool, worker: str, is_nobody: bool, is_done: bool
) -> Step:
    """What a row with this worker and state does to a ticket held by `assignee`.

    `assignee` is None when no row of the ticket has counted yet.
    """
    if is_nobody:
        return Step.NOBODY
    if assignee is None:
        return Step.CREATED_AND_COMPLETED if is_done else Step.CREATED
    if was_done:
        return Step.AFTER_DONE
    if worker != assignee:
        return Step.REASSIGNED_AND_COMPLETED if is_done else Step.REASSIGNED
    return Step.COMPLETED if is_done else Step.UNCHANGED


def shift_to(now: dt.datetime, last_row_at: dt.datetime) -> dt.timedelta:
    """The smallest whole number of weeks that puts a log's last row at `now` or later.

    A week is 168 hours: rows keep their distances, whatever the clocks did in between.
    """
    return -((last_row_at - now) // WEEK) * WEEK


def addresses_of(workers: Iterable[str]) -> dict[str, str]:
    """An e-mail address for every worker, from the name; all differ.

    The order counts: of two names that come out alike the later one gets a number.
    """
    addresses: dict[str, str] = {}
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    for worker in workers:
        slug = name = _slug(worker)
        while name in taken:
            numbers[slug] = numbers.get(slug, 1) + 1
            name = f"{slug}-{numbers[slug]}"
        taken.add(name)
        addresses[worker] = f"{name}@{ADDRESS_DOMAIN}"
    return addresses


def other_address_of(worker: str) -> str:
    """The address of a worker whose usual one already belongs to somebody else."""
    digest = hashlib.sha256(worker.encode()).hexdigest()[:12]
    return f"{_slug(worker)}-{digest}@{ADDRESS_DOMAIN}"


def _slug(worker: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", worker).encode("ascii", "ignore").decode().lower()
    slug = _NOT_IN_ADDRESS.sub("-", ascii_name).strip("-")[:ADDRESS_NAME_LENGTH_MAX].strip("-")
    return slug or "worker"
