"""Downloads of what a page shows, as CSV or XLSX, for those who may see it.

They are routes of our own because Streamlit's downloads are files that whoever knows their address
may fetch. Session, role and owner are checked at every request, by the reads themselves.
"""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboards import tables
from dashboards.access import TrackerSilentError, viewer_of
from dashboards.export_tables import EXPORTS
from dashboards.languages import _, language_of, speaking
from warehouse.lake import LakeUnavailableError
from warehouse.reading import ReadRefusedError

MIME_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def export(request: Request) -> Response:
    """`/export/NAME.KIND?...`: the file, or a sentence that says why not."""
    name, kind = request.path_params["name"], request.path_params["kind"]
    with speaking(language_of(request)):
        if name not in EXPORTS or kind not in MIME_TYPES:
            return PlainTextResponse(_("There is no such export."), 404)
        try:
            viewer = viewer_of(request.cookies)
            if viewer is None:
                return PlainTextResponse(_("Please sign in first."), 403)
            table = EXPORTS[name](viewer, request.query_params)
        except ReadRefusedError:
            return PlainTextResponse(_("This export is not for your role."), 403)
        except ValueError:
            return PlainTextResponse(_("The address is damaged: a date or a word is wrong."), 400)
        except (TrackerSilentError, LakeUnavailableError):
            text = _("The figures cannot be read right now. Please try again in a moment.")
            return PlainTextResponse(text, 503, {"Retry-After": "5"})
    content = tables.csv_of(table) if kind == "csv" else tables.xlsx_of(table)
    headers = {
        "Content-Disposition": f'attachment; filename="{table.file_name}.{kind}"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=MIME_TYPES[kind], headers=headers)


ROUTES = [Route("/export/{name}.{kind}", export)]
