"""What every command is told about its surroundings, so that it decides nothing by itself."""

import datetime as dt
import random
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from ops_api.clock import Clock
from ops_api.ids import uuid7


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandContext:
    """Who acts, what time it is, where chance comes from, and which user action this belongs to.

    `actor_id` is the acting employee's id, or None when a service or the command line acts.
    """

    actor_id: UUID | None
    clock: Clock
    rng: random.Random
    correlation_id: UUID
    business_timezone: ZoneInfo

    def new_id(self, at: dt.datetime) -> UUID:
        """A fresh UUIDv7 that carries the moment `at`."""
        return uuid7(at, self.rng)
