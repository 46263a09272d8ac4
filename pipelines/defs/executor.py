"""Every run works in its own single process: another one per step costs three seconds."""

import dagster as dg


@dg.definitions
def executor() -> dg.Definitions:
    """The executor of every job."""
    return dg.Definitions(executor=dg.in_process_executor)
