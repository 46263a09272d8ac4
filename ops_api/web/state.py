"""What the running tracker consists of, at hand in every request."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app, g
from sqlalchemy import Connection, Engine

from ops_api.auth.identity import Caller, Identity
from ops_api.clock import Clock
from ops_api.context import CommandContext
from ops_api.ids import uuid7
from ops_api.refusals import Refusals
from ops_api.settings import TrackerSettings
from ops_api.unit_of_work import in_transaction

EXTENSION = "tracker"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Tracker:
    """Settings, database, clock and chance; made once by `create_app`."""

    settings: TrackerSettings
    engine: Engine
    reader: Engine
    clock: Clock
    rng: random.Random
    zone: ZoneInfo
    refusals: Refusals = field(default_factory=Refusals)

    @property
    def origin(self) -> str:
        """Scheme, host and port by which browsers know us."""
        parts = urlsplit(self.settings.tracker_url)
        return f"{parts.scheme}://{parts.netloc}"

    def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query on a connection where each statement stands for itself."""
        return in_transaction(self.reader, query)

    def context(self, caller: Caller) -> CommandContext:
        """The surroundings of one user action, under a correlation id of its own."""
        actor_id: UUID | None = caller.employee_id if isinstance(caller, Identity) else None
        g.correlation_id = uuid7(self.clock(), self.rng)  # for the request's line in the log
        return CommandContext(
            actor_id=actor_id,
            clock=self.clock,
            rng=self.rng,
            correlation_id=g.correlation_id,
            business_timezone=self.zone,
        )


def tracker() -> Tracker:
    """The tracker that serves the present request."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, Tracker)
    return found
