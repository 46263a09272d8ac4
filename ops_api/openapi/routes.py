"""The API's description over HTTP: the document for programs, a page of it for people."""

from flask import Blueprint, Response, current_app, render_template

from ops_api.openapi.document import text_of
from ops_api.web.answers import JSON_TYPE
from ops_api.web.rights import allow

EXTENSION = "openapi"

blueprint = Blueprint("openapi", __name__, url_prefix="/api")


@blueprint.get("/v1/openapi.json")
@allow("anyone")
def get_document() -> Response:
    """The OpenAPI document of this very process; made once, when first asked for."""
    found = current_app.extensions.get(EXTENSION)
    if found is None:
        found = current_app.extensions[EXTENSION] = text_of(current_app)
    return Response(found, mimetype=JSON_TYPE)


@blueprint.get("/reference")
@allow("anyone")
def get_reference() -> str:
    """The document to read and to try out, by Swagger UI."""
    return render_template("reference.html")
