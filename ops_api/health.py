"""Whether the tracker can do its work."""

from flask import Blueprint, Response
from sqlalchemy import text

from ops_api.web.answers import json_response
from ops_api.web.rights import allow
from ops_api.web.state import tracker

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
@allow("anyone")
def get_health() -> Response:
    """200 when the database answers; the database's silence becomes 503 like everywhere else."""
    tracker().read(lambda connection: connection.execute(text("select 1")))
    return json_response({"status": "ready"})
