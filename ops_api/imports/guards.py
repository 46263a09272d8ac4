"""When an import must not begin: refusals that say what to do instead."""

from sqlalchemy import Connection

from ops_api.days.queries import last_closed_date
from ops_api.errors import ConflictError
from ops_api.imports.plan import Plan
from ops_api.imports.queries import find_unfinished


def require_nothing_unfinished(connection: Connection) -> None:
    """Refuse while another import still has rows to bring."""
    other = find_unfinished(connection)
    if other is not None:
        raise ConflictError(
            "import-unfinished",
            f"The import of {other.file_name} is unfinished: run it again to finish it, or give "
            "its rest up with --abandon.",
        )


def require_open_days(connection: Connection, plan: Plan) -> None:
    """Refuse a log with changes on closed days."""
    last_closed = last_closed_date(connection)
    if last_closed is None or not plan.moves or plan.moves[0].business_date > last_closed:
        return
    count = sum(move.business_date <= last_closed for move in plan.moves)
    raise ConflictError(
        "days-closed",
        f"{count:,} of the log's changes, the first of {plan.moves[0].business_date}, fall on days "
        f"that are closed (through {last_closed}), and a closed day never changes. Import this "
        "log into an installation whose days are still open: a fresh one, with an ATES_HOME of "
        "its own.",
    )
