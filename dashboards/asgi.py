"""The ASGI application: Streamlit's own, our front before it, and the routes beside it."""

import contextlib
import importlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware

from dashboards import exports, lake, languages
from dashboards.front import Front
from dashboards.settings import DashboardSettings
from warehouse.lake import LakeUnavailableError

SCRIPT = Path(__file__).with_name("app.py")
# What a first page needs, and what takes a second to load: loaded before anybody waits for it.
WARM_MODULES = ("altair", "duckdb", "pandas", "pyarrow", "xlsxwriter", "dashboards.frame")
DISCOVERY = "/.well-known/openid-configuration"
log = logging.getLogger(__name__)


def create_app(settings: DashboardSettings) -> st.App:
    """Everything that answers under the dashboards' address."""
    return st.App(
        SCRIPT,
        secrets={"auth": _sign_in(settings)},
        lifespan=_warm_up,
        routes=[*exports.ROUTES, *languages.ROUTES],
        middleware=[Middleware(Front, settings=settings)],
        on_script_error=_log_script_error,
    )


def _sign_in(settings: DashboardSettings) -> dict[str, Any]:
    """How Streamlit sends people to the tracker and what it keeps of them."""
    return {
        "redirect_uri": f"{settings.dashboards_url.rstrip('/')}/oauth2callback",
        "cookie_secret": settings.cookie_secret,
        "client_id": "dashboards",
        "client_secret": settings.oidc_dashboards_secret,
        "server_metadata_url": f"{settings.tracker_url.rstrip('/')}{DISCOVERY}",
        "expose_tokens": ["access"],
        "client_kwargs": {"scope": "openid profile email"},
    }


@contextlib.asynccontextmanager
async def _warm_up(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    for name in WARM_MODULES:
        importlib.import_module(name)
    # A lake that is not there yet is read when somebody asks.
    with contextlib.suppress(LakeUnavailableError):
        await run_in_threadpool(lake.follow)
    yield {}


def _log_script_error(error: Exception) -> None:
    """Streamlit shows a sentence without details; the details belong into our log."""
    log.error("a page failed", exc_info=error)
