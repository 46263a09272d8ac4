"""The HTML that every page begins with: Streamlit's own, told what its scripts would ask for first.

By itself Streamlit asks two questions before it opens its web socket, for a page with an address of
its own at a wrong place first, and fetches the pieces of a page when they are to be drawn. Here it
finds all of that in the page.
"""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse
from streamlit import file_util
from streamlit.web.server.starlette.starlette_app_utils import validate_xsrf_token
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME

from dashboards.languages import language_of

FOLDER: Final = Path(file_util.get_static_dir())
# What every page is drawn of, by the names of Streamlit's scripts.
PIECES: Final = ("Metric", "Html", "LinkButton", "PageLink", "Button")
_LANGUAGE, _TITLE = '<html lang="en">', "<title>Streamlit</title>"
_IMPORTED = re.compile(r"(?:from|import)\s*[\"'`]\./([\w.-]+\.js)[\"'`]")


def begin_page(request: Request, home: str) -> HTMLResponse:
    """The answer to whoever opens a page; `home` is where the dashboards are, without a path.

    The web socket is opened without questions by browsers that have the cookie which shows that it
    is our page that opens it; others get it with the answer to the first one.
    """
    cookie = request.cookies.get(XSRF_COOKIE_NAME)
    text = _page(home, language_of(request), is_known=validate_xsrf_token(cookie, cookie))
    return HTMLResponse(text, headers={"Cache-Control": "no-cache"})


@lru_cache
def _page(home: str, language: str, *, is_known: bool) -> str:
    """Raises RuntimeError when Streamlit's page is not as it was."""
    text = (FOLDER / "index.html").read_text("utf-8")
    if text.count(_LANGUAGE) != 1 or text.count(_TITLE) != 1:
        raise RuntimeError("Streamlit's index.html has changed: see dashboards/shell.py")
    told: dict[str, Any] = {"BACKEND_BASE_URL": f"{home}/"}
    if is_known:
        told["HOST_CONFIG"] = {
            "allowedOrigins": [home],  # who may speak to the page: nobody else
            "useExternalAuthToken": False,
            "enableCustomParentMessages": False,
            "enforceDownloadInNewTab": False,
            "metricsUrl": "",
            "blockErrorDialogs": False,
        }
    hints = "".join(
        f'<link rel="modulepreload" crossorigin href="./static/js/{name}">'
        for name in _pieces()
        if name not in text
    )
    script = f"<script>window.__streamlit = {json.dumps(told)}</script>"
    return text.replace(_LANGUAGE, f'<html lang="{language}">').replace(
        _TITLE, f"<title>UberPopug</title>{script}{hints}"
    )


@lru_cache
def _pieces() -> tuple[str, ...]:
    """The scripts of PIECES and those that they import in turn."""
    folder = FOLDER / "static" / "js"
    found: dict[str, None] = {}
    waiting = [path.name for piece in PIECES for path in sorted(folder.glob(f"{piece}.*.js"))]
    if len(waiting) != len(PIECES):
        raise RuntimeError("Streamlit's scripts have other names: see dashboards/shell.py")
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            waiting += _IMPORTED.findall((folder / name).read_text("utf-8"))
    return tuple(found)
