"""`ates lake`: the SQL with which any DuckDB client opens the lake, read only."""

import click

from ates import reach


@click.command("lake")
@click.option(
    "--offline",
    is_flag=True,
    help="Load the extensions that are installed here; the client must be the same DuckDB.",
)
def command(offline: bool) -> None:
    """Print the SQL that opens the lake read only; it holds the password of LAKE_READER_URL.

    For instance `duckdb -cmd "$(ates lake)"`, or in Python `connection.execute(text)`.
    """
    from contracts.environment import read_environment
    from warehouse.lake import opening_sql
    from warehouse.settings import LakeSettings

    environment = reach.enter_environment()
    reader = {**environment, "LAKE_CATALOG_URL": environment["LAKE_READER_URL"]}
    settings = read_environment(LakeSettings, reader)
    click.echo(opening_sql(settings, is_offline=offline))
