"""What holds for tasks, decided without looking anywhere: prices, titles, who may complete."""

import enum
import random
from typing import NamedTuple

from ops_api.errors import ConflictError
from ops_api.lines import clean_line

TITLE_LENGTH_MAX = 500
FEE_UNITS = (10, 20)
REWARD_UNITS = (20, 40)
CENTS_PER_UNIT = 100


class Prices(NamedTuple):
    """What a task costs its assignee and brings the one who completes it; fixed at creation."""

    fee_cents: int
    reward_cents: int


class Completion(enum.Enum):
    """What a wish to complete a task amounts to."""

    NOW = "the task becomes done"
    BEFORE = "this employee has already completed it: the same answer again, no new event"


def draw_prices(rng: random.Random) -> Prices:
    """Whole units, both ends included, each drawn by itself."""
    fee_units = rng.randint(*FEE_UNITS)
    reward_units = rng.randint(*REWARD_UNITS)
    return Prices(fee_units * CENTS_PER_UNIT, reward_units * CENTS_PER_UNIT)


def clean_title(title: str) -> str:
    """The title in NFC without outer spaces; refuses what cannot be shown on one line."""
    return clean_line(title, what="title", length_max=TITLE_LENGTH_MAX)


def decide_completion(*, is_done: bool, is_assignee: bool) -> Completion:
    """Only the present assignee completes an open task, and may say so twice."""
    if not is_assignee:
        word = "done by" if is_done else "assigned to"
        raise ConflictError("not-the-assignee", f"This task is {word} somebody else.")
    return Completion.BEFORE if is_done else Completion.NOW


def require_assignable(count_open_tasks: int) -> None:
    """Refuse when tasks need somebody and nobody can be drawn; the caller knows nobody can."""
    if count_open_tasks:
        raise ConflictError(
            "no-assignable-employee",
            "There is no active employee who is neither manager nor admin to take a task.",
        )


def may_see(*, role: str, is_own: bool) -> bool:
    """Whether somebody may look at a task; `is_own` says that they hold it or created it."""
    return is_own or role in {"manager", "admin"}
