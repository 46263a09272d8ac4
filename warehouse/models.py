"""The SQL files of `models/`: each is one SELECT over the batch at hand."""

from functools import cache
from pathlib import Path


@cache
def model(name: str) -> str:
    """The text of one model."""
    return (Path(__file__).parent / "models" / f"{name}.sql").read_text("utf-8")
