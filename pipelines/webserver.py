"""`python -m pipelines.webserver PORT`: Dagster's web server, which asks the gate what one may do.

Dagster knows a read-only server, but no read-only person. Here each request says which it is: a
viewer's pages show their buttons greyed out, with Dagster's own words, and its own checks refuse
what the gate has refused already. A request that does not say so reads.
"""

import os
import sys
from pathlib import Path

from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._utils.log import configure_loggers
from dagster_webserver.cli import host_dagster_ui_with_workspace_process_context
from dagster_webserver.version import __version__
from starlette.requests import HTTPConnection

from pipelines.dagster_instance import LOOPBACK
from pipelines.gateway.rules import ACCESS_HEADER, Access

LOG_LEVEL = "warning"


class Workspace(WorkspaceProcessContext):
    """The code locations, seen by each request with its own rights."""

    def create_request_context(self, source: object | None = None) -> WorkspaceRequestContext:
        """The context of a request; `source` is its connection."""
        is_full = (
            isinstance(source, HTTPConnection)
            and source.headers.get(ACCESS_HEADER) == Access.FULL.value
        )
        return WorkspaceRequestContext(
            instance=self.instance,
            current_workspace=self.get_current_workspace(),
            process_context=self,
            version=self.version,
            source=source,
            read_only=not is_full,
        )


def main() -> None:
    """Serve on loopback until stopped: it asks nobody who they are, the gate before it does."""
    configure_loggers(log_level=LOG_LEVEL.upper())
    target = WorkspaceFileTarget([str(Path(os.environ["DAGSTER_HOME"]) / "workspace.yaml")])
    with (
        DagsterInstance.get() as instance,
        Workspace(instance, target, version=__version__) as workspace,
    ):
        host_dagster_ui_with_workspace_process_context(
            workspace, LOOPBACK, int(sys.argv[1]), path_prefix="", log_level=LOG_LEVEL
        )


if __name__ == "__main__":
    main()
