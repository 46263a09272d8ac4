"""`ates openapi`: write the API's document, or check the committed copy against the code."""

import click


@click.group(name="openapi")
def command() -> None:
    """Write or check the OpenAPI document of the tracker's API."""


@command.command()
def export() -> None:
    """Write the document that the routes make."""
    from ops_api.openapi import document

    document.COPY.write_text(_text(), encoding="utf-8")
    click.echo(f"wrote {document.COPY.relative_to(document.COPY.parents[2])}")


@command.command()
def check() -> None:
    """Show where the committed copy differs from what the routes make; exit 1 if it does."""
    import difflib

    from ops_api.openapi import document

    copied = document.COPY.read_text(encoding="utf-8") if document.COPY.exists() else ""
    made = _text()
    for line in difflib.unified_diff(
        copied.splitlines(), made.splitlines(), "openapi.json", "the routes", lineterm="", n=1
    ):
        click.echo(line, err=True)
    if copied != made:
        click.echo("The API has changed: look at it, then run `ates openapi export`.", err=True)
        raise SystemExit(1)
    click.echo("the OpenAPI document agrees with the routes")


def _text() -> str:
    """The document of an application that never meets its database."""
    import random

    from ops_api.app import create_app
    from ops_api.clock import system_clock
    from ops_api.database import create_engine
    from ops_api.openapi.document import text_of
    from ops_api.settings import TrackerSettings

    settings = TrackerSettings(
        database_url="postgresql+psycopg2://",
        tracker_url="http://localhost",
        tracker_host="localhost",
        tracker_port=80,
        dashboards_url="http://localhost",
        dagster_url="http://localhost",
        oidc_keys_path="",
        oidc_dashboards_secret="-" * 16,
        oidc_dagster_secret="-" * 16,
        oidc_pipelines_secret="-" * 16,
    )
    engine = create_engine(settings.database_url)
    return text_of(create_app(settings, engine, system_clock, random.SystemRandom()))
