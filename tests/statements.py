"""Listening to what is sent to a database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, event

HOOK = "before_cursor_execute"


@contextmanager
def listening(target: Engine | Connection, note: Callable[[str, object], object]) -> Iterator[None]:
    """Tell `note` the text and the values of each statement that is sent meanwhile."""

    def hear(_connection: object, _cursor: object, words: str, values: object, *_: object) -> None:
        note(words, values)

    event.listen(target, HOOK, hear)
    try:
        yield
    finally:
        event.remove(target, HOOK, hear)
