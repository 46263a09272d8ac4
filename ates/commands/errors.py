"""What a person should read is printed as a sentence; a bug keeps its trace."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click

P = ParamSpec("P")
R = TypeVar("R")


def shown_plainly(function: Callable[P, R]) -> Callable[P, R]:
    """Turn the errors of settings, servers and supervisor into a message and exit status 1."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from ates.supervisor import (
            AlreadyRunningError,
            PortsTakenError,
            ServiceFailedError,
            SupervisorDownError,
        )
        from contracts.environment import SettingsError

        expected = (
            AlreadyRunningError,
            PortsTakenError,
            ServiceFailedError,
            SettingsError,
            SupervisorDownError,
        )
        try:
            return function(*args, **kwargs)
        except expected as error:
            raise click.ClickException(str(error)) from error

    return wrapped
