"""The tracker as a WSGI application; this is the only place where its parts are put together."""

import random

from flask import Flask
from sqlalchemy import Engine

from contracts.environment import read_environment
from ops_api import health
from ops_api.auth import pages as auth_pages
from ops_api.auth import pages_account as account_pages
from ops_api.auth import routes as auth_routes
from ops_api.auth.provider import routes as provider_routes
from ops_api.auth.provider import server as provider_server
from ops_api.clock import Clock, system_clock
from ops_api.database import create_engine
from ops_api.days import routes as days_routes
from ops_api.employees import pages as employees_pages
from ops_api.employees import routes as employees_routes
from ops_api.openapi import routes as openapi_routes
from ops_api.settings import TrackerSettings
from ops_api.tasks import pages as tasks_pages
from ops_api.tasks import pages_all as all_tasks_pages
from ops_api.tasks import routes as tasks_routes
from ops_api.web import (
    assets,
    compression,
    failures,
    forms,
    guard,
    headers,
    languages,
    menu,
    metrics,
    pages,
    preferences,
)
from ops_api.web.proxies import BelieveProxies
from ops_api.web.requests import BODY_BYTES_MAX, FORM_PARTS_MAX
from ops_api.web.state import EXTENSION, Tracker

PARTS = (
    health,
    auth_routes,
    auth_pages,
    account_pages,
    provider_routes,
    employees_routes,
    employees_pages,
    tasks_routes,
    tasks_pages,
    all_tasks_pages,
    days_routes,
    assets,
    preferences,
    openapi_routes,
)
WEB_PARTS = (
    metrics,
    compression,
    headers,
    guard,
    failures,
    languages,
    assets,
    preferences,
    menu,
    forms,
    pages,
)


def create_app(
    settings: TrackerSettings, engine: Engine, clock: Clock, rng: random.Random
) -> Flask:
    """The application on a migrated database; it opens no connection before the first request."""
    app = Flask("ops_api", static_folder=None, template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
    app.config["MAX_FORM_MEMORY_SIZE"] = BODY_BYTES_MAX
    app.config["MAX_FORM_PARTS"] = FORM_PARTS_MAX
    app.url_map.strict_slashes = False
    app.extensions[EXTENSION] = Tracker(
        settings=settings,
        engine=engine,
        reader=create_engine(settings.database_url, is_autocommit=True),
        clock=clock,
        rng=rng,
        zone=settings.zone,
    )
    app.wsgi_app = BelieveProxies(app.wsgi_app, settings.proxies)  # type: ignore[method-assign]
    for web_part in WEB_PARTS:
        web_part.install(app)
    provider_server.install(app)
    for part in PARTS:
        app.register_blueprint(part.blueprint)
    return app


def create_app_from_environment() -> Flask:
    """The application as a server process makes it: settings from the environment, real time."""
    settings = read_environment(TrackerSettings)
    engine = create_engine(settings.database_url)
    return create_app(settings, engine, system_clock, random.SystemRandom())
