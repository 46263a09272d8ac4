"""Every table of the tracker; importing this fills `ops_api.metadata.metadata` completely."""

from ops_api.auth.models import (
    access_tokens,
    authorization_codes,
    security_events,
    sessions,
    sign_in_links,
    sign_in_tries,
)
from ops_api.days.models import business_days
from ops_api.employees.models import employees
from ops_api.idempotency.models import idempotency_keys
from ops_api.imports import models as imports
from ops_api.outbox.models import (
    archived_task_events,
    discarded_events,
    event_log,
    log_head,
    outbox,
    publications,
)
from ops_api.tasks.models import tasks

__all__ = [
    "access_tokens",
    "archived_task_events",
    "authorization_codes",
    "business_days",
    "discarded_events",
    "employees",
    "event_log",
    "idempotency_keys",
    "imports",
    "log_head",
    "outbox",
    "publications",
    "security_events",
    "sessions",
    "sign_in_links",
    "sign_in_tries",
    "tasks",
]
