"""One request, one transaction: the only place where the tracker's commands begin and commit.

A deadlock or a serialization failure is tried again a few times: PostgreSQL has undone everything.
A lost connection is tried again only if the commit had not been sent; afterwards nobody knows
whether it happened, and the caller is told to ask again (with the same Idempotency-Key). Work that
sends its own commit stores such a key with it, so that a second try finds what the first one did.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

ATTEMPTS_MAX = 4
PAUSE_SECONDS = 0.02

SERIALIZATION_FAILURE = "40001"
DEADLOCK_DETECTED = "40P01"

T = TypeVar("T")


def in_transaction(engine: sa.Engine, work: Callable[[sa.Connection], T]) -> T:
    """Run `work` in a transaction and commit; it may run again, so it only touches the database.

    Raises what `work` raises (everything is rolled back) and sqlalchemy's errors.
    """
    for attempt in range(1, ATTEMPTS_MAX + 1):
        is_committing = False
        try:
            with engine.begin() as connection:
                result = work(connection)
                is_committing = True
        except sa.exc.DBAPIError as error:
            if attempt == ATTEMPTS_MAX or not _may_be_repeated(error, is_committing):
                raise
            time.sleep(PAUSE_SECONDS * attempt * (0.5 + random.random()))  # noqa: S311 - a pause
        else:
            return result
    raise AssertionError("the last attempt returns or raises")


def _may_be_repeated(error: sa.exc.DBAPIError, is_committing: bool) -> bool:
    state = getattr(error.orig, "pgcode", None)
    if state in {SERIALIZATION_FAILURE, DEADLOCK_DETECTED}:
        return True
    return error.connection_invalidated and not is_committing
