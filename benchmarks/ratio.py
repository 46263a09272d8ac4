"""One line of the benchmark table, and how both of its sides are measured fairly."""

import gc
import statistics
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Our figure beside another one of the same run; both higher is better, in `unit`.

    For something that should be small (a delay), `ours` and `baseline` are the measured and the
    allowed value, and `ratio` is allowed / measured.
    """

    name: str
    ours: float
    baseline: float
    ratio: float
    goal: float
    unit: str = "events/s"

    @property
    def is_met(self) -> bool:
        """Whether the goal was reached in this run."""
        return self.ratio >= self.goal


def compare(
    name: str,
    *,
    ours: Callable[[], float],
    baseline: Callable[[], float],
    goal: float,
    unit: str = "events/s",
    rounds: int = ROUNDS,
) -> Ratio:
    """Measure both sides in turns, so that a busy machine disturbs both, and take the medians.

    Each callable does one whole measurement and gives its speed. One unmeasured turn comes first.
    """
    speeds: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        gc.collect()
        pair = ours(), baseline()
        if number:
            speeds.append(pair)
    ours_median, baseline_median = (statistics.median(side) for side in zip(*speeds, strict=True))
    # of the ratios of the turns, not the ratio of the medians: a turn's two sides ran side by side
    ratio = statistics.median(left / right for left, right in speeds)
    return Ratio(
        name=name,
        ours=ours_median,
        baseline=baseline_median,
        ratio=ratio,
        goal=goal,
        unit=unit,
    )
