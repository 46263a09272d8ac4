"""Starts, watches and stops the services of one machine; supervisord does the watching."""

from ates.supervisor.lock import AlreadyRunningError
from ates.supervisor.ports import PortsTakenError
from ates.supervisor.remote import SupervisorDownError
from ates.supervisor.stack import ServiceFailedError, Stack
from ates.supervisor.status import ServiceStatus

__all__ = [
    "AlreadyRunningError",
    "PortsTakenError",
    "ServiceFailedError",
    "ServiceStatus",
    "Stack",
    "SupervisorDownError",
]
