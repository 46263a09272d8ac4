"""The one command line. A command's module is imported only when it runs, so help is instant."""

import importlib

import click

# name: (module with `command`, what `ates --help` says)
COMMANDS = {
    "up": ("ates.commands.up", "Start every server; stay until Ctrl-C."),
    "down": ("ates.commands.down", "Stop what `ates up` or `ates demo` started."),
    "status": ("ates.commands.status", "One row a service; exit 0 when all are ready."),
    "incidents": ("ates.commands.incidents", "What is wrong, since when, and who was told."),
    "logs": ("ates.commands.logs", "Show the log of one service."),
    "serve": ("ates.commands.serve", "Become one service, for another supervisor to watch."),
    "demo": ("ates.commands.demo", "Run the whole business on a real event log."),
    "import": ("ates.commands.import_log", "Import a log of tickets through the tracker."),
    "wait": ("ates.commands.wait", "Return when nothing is in flight any more."),
    "verify": ("ates.commands.verify", "Check every invariant, from the tracker to the mails."),
    "trace": ("ates.commands.trace", "Follow one action from its request to its mails."),
    "export": ("ates.commands.export", "Write events, postings, payouts and others as CSV."),
    "rebuild": ("ates.commands.rebuild", "Build a second lake from the event log and compare."),
    "archive": ("ates.commands.archive", "Move old days of the event log into the lake."),
    "quarantine": ("ates.commands.quarantine", "Records that could not be read."),
    "lake": ("ates.commands.lake", "Print the SQL that opens the lake in any DuckDB client."),
    "employee": ("ates.commands.employee", "Add employees and set passwords."),
    "keys": ("ates.commands.keys", "List and rotate the keys that sign who somebody is."),
    "contracts": ("ates.commands.contracts", "Write or check the schemas of the events."),
    "openapi": ("ates.commands.openapi", "Write or check the document of the tracker's API."),
    "tracker": ("ates.commands.tracker", "Serve the task tracker."),
    "relay": ("ates.commands.relay", "Publish the event log to Kafka."),
    "ingest": ("ates.commands.ingest", "Bring Kafka's records into the lake, without Dagster."),
    "mailbox": ("ates.commands.mailbox", "Keep mail for reading instead of sending it."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's shape
        """Every name, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command's module now."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The table of commands, from COMMANDS alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Awesome Task Exchange System: tasks, fees, rewards and payouts."""


if __name__ == "__main__":
    main(prog_name="ates")
