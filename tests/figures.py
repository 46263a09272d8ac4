"""Reading our figures for Prometheus as they are in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY


def figure(name: str, **labels: str) -> float:
    """The value of one sample; 0 before it was first counted."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


@contextmanager
def growth(*names: str) -> Iterator[dict[str, float]]:
    """By how much each unlabelled sample grows within the block; to be read after it."""
    before = {name: figure(name) for name in names}
    grown: dict[str, float] = {}
    yield grown
    grown.update({name: figure(name) - before[name] for name in names})
