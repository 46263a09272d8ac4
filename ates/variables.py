"""Every environment variable of the system: unit, default and meaning, in one table.

A default may name other variables in braces. `.env.example` is written from this table
(`python -m ates.variables > .env.example`), and a test compares the two.
"""

from ates.units import Section, Unit, Variable

SECTIONS = (
    Section(
        "The installation",
        (
            Variable("ATES_HOME", Unit.FOLDER, ".ates", "All state: databases, lake, logs, mail."),
            Variable(
                "BUSINESS_TIMEZONE", Unit.ZONE, "UTC", "Where a business day begins and ends."
            ),
        ),
    ),
    Section(
        "PostgreSQL (give all three URLs or none: with them, no embedded server starts)",
        (
            Variable("POSTGRES_PORT", Unit.PORT, "5433", "The embedded server's."),
            Variable(
                "DATABASE_URL",
                Unit.URL,
                None,
                "The tracker's database, as postgresql+psycopg2://user:password@host/database; "
                "unset: the embedded server.",
            ),
            Variable(
                "LAKE_CATALOG_URL",
                Unit.URL,
                None,
                "The lake's catalog, a database of its own; unset: the embedded server.",
            ),
            Variable(
                "DATABASE_READER_URL",
                Unit.URL,
                None,
                "The tracker's database for the dashboards, with an account that can only read; "
                "unset: the embedded server's, or DATABASE_URL.",
            ),
            Variable(
                "LAKE_READER_URL",
                Unit.URL,
                None,
                "The lake's catalog for the dashboards, with the same account; "
                "unset: the embedded server's, or LAKE_CATALOG_URL.",
            ),
            Variable(
                "DAGSTER_DATABASE_URL",
                Unit.URL,
                None,
                "Dagster's own state, a database of its own; unset: the embedded server.",
            ),
        ),
    ),
    Section(
        "The lake",
        (
            Variable(
                "LAKE_DATA_PATH",
                Unit.FOLDER,
                "{ATES_HOME}/lake",
                "The lake's Parquet files: a folder, or an s3:// URL.",
            ),
            Variable(
                "EVENT_LOG_KEPT_DAYS",
                Unit.DAYS,
                None,
                "Paid business days older than this move from the tracker's event log to the lake, "
                "which then has the only copy; unset: the log keeps everything.",
            ),
        ),
    ),
    Section(
        "Apache Kafka",
        (
            Variable(
                "KAFKA_BOOTSTRAP_SERVERS",
                Unit.TEXT,
                None,
                "host:port,... of a cluster; unset: the embedded broker.",
            ),
            Variable("KAFKA_PORT", Unit.PORT, "9092", "The embedded broker's, for clients."),
            Variable("KAFKA_CONTROLLER_PORT", Unit.PORT, "9093", "The embedded broker's own."),
            Variable(
                "KAFKA_TOPIC_PREFIX", Unit.TEXT, "ates.", "What every topic's name begins with."
            ),
            Variable(
                "KAFKA_TASK_PARTITIONS",
                Unit.COUNT,
                "4",
                "Partitions of the topic of tasks, when the relay makes it.",
            ),
            Variable(
                "KAFKA_SECURITY_PROTOCOL",
                Unit.TEXT,
                None,
                "SASL_PLAINTEXT, SASL_SSL, SSL or PLAINTEXT; unset: SASL_PLAINTEXT for the "
                "embedded broker, PLAINTEXT for a cluster.",
            ),
            Variable("KAFKA_SASL_MECHANISM", Unit.TEXT, "SCRAM-SHA-512", "How clients sign in."),
            Variable(
                "KAFKA_RELAY_USERNAME", Unit.TEXT, "relay", "May create and write the topics."
            ),
            Variable(
                "KAFKA_RELAY_PASSWORD",
                Unit.SECRET,
                None,
                "Unset: generated for the embedded broker, none for a cluster.",
            ),
            Variable("KAFKA_INGEST_USERNAME", Unit.TEXT, "ingest", "May read the topics."),
            Variable(
                "KAFKA_INGEST_PASSWORD",
                Unit.SECRET,
                None,
                "Unset: generated for the embedded broker, none for a cluster.",
            ),
        ),
    ),
    Section(
        "Mail",
        (
            Variable(
                "SMTP_URL",
                Unit.URL,
                None,
                "smtp://user:password@host:port or smtps://...; unset: a local mailbox that "
                "keeps every message for reading and sends none.",
            ),
            Variable("SMTP_PORT", Unit.PORT, "1025", "Where the local mailbox takes mail."),
            Variable("MAILBOX_PORT", Unit.PORT, "8025", "Where the local mailbox is read."),
            Variable("MAIL_FROM", Unit.MAIL, "ates@uberpopug.example", "The sender of all mails."),
            Variable(
                "ALERT_MAIL_TO",
                Unit.TEXT,
                None,
                "E-mail addresses of those who are told when something is wrong and when it is "
                "over, with commas between them; unset: `ates incidents` shows it, nobody is told.",
            ),
        ),
    ),
    Section(
        "The tracker",
        (
            Variable("TRACKER_HOST", Unit.HOST, "127.0.0.1", "Where the tracker listens."),
            Variable("TRACKER_PORT", Unit.PORT, "8000", "Where the tracker listens."),
            Variable(
                "TRACKER_URL",
                Unit.URL,
                "http://127.0.0.1:{TRACKER_PORT}",
                "How browsers and the other services reach the tracker.",
            ),
            Variable(
                "TRACKER_TRUSTED_HOSTS",
                Unit.TEXT,
                None,
                "Host names besides that of TRACKER_URL and loopback's under which the tracker "
                "answers, with commas between them.",
            ),
            Variable(
                "TRACKER_PROXIES",
                Unit.TEXT,
                None,
                "Addresses or networks of reverse proxies whose X-Forwarded-For, -Proto and -Host "
                "are believed, with commas between them; unset: nobody's.",
            ),
            Variable(
                "SIGN_IN_LINK_HOURS",
                Unit.HOURS,
                "24",
                "How long a link for the first sign-in works.",
            ),
            Variable(
                "RESET_LINK_MINUTES",
                Unit.MINUTES,
                "60",
                "How long a link works by which a forgotten password is replaced.",
            ),
        ),
    ),
    Section(
        "Dagster and the dashboards",
        (
            Variable("DAGSTER_HOME", Unit.FOLDER, "{ATES_HOME}/dagster", "Dagster's settings."),
            Variable("DAGSTER_HOST", Unit.HOST, "127.0.0.1", "Where Dagster's pages listen."),
            Variable("DAGSTER_PORT", Unit.PORT, "3000", "Where Dagster's pages listen."),
            Variable(
                "DAGSTER_WEB_PORT",
                Unit.PORT,
                "3001",
                "Dagster's own web server, on loopback behind the gate that asks who it is.",
            ),
            Variable(
                "DAGSTER_VIEWERS",
                Unit.TEXT,
                None,
                "E-mail addresses of those who may look at Dagster besides its admins, with commas "
                "between them; unset: nobody.",
            ),
            Variable(
                "DAGSTER_GRPC_HOST",
                Unit.HOST,
                "127.0.0.1",
                "Where Dagster's code server listens, and where the others find it.",
            ),
            Variable("DAGSTER_GRPC_PORT", Unit.PORT, "4266", "Dagster's code server."),
            Variable(
                "DAGSTER_KEPT_DAYS",
                Unit.DAYS,
                "14",
                "How long Dagster keeps events, runs and evaluations that nothing newer needs.",
            ),
            Variable("DASHBOARDS_HOST", Unit.HOST, "127.0.0.1", "Where the dashboards listen."),
            Variable("DASHBOARDS_PORT", Unit.PORT, "8501", "The dashboards' pages."),
        ),
    ),
    Section(
        "Metrics, for programs that serve nothing else (the tracker's are at its own port)",
        (
            Variable("METRICS_HOST", Unit.HOST, "127.0.0.1", "Where the following listen."),
            Variable("RELAY_METRICS_PORT", Unit.PORT, "9464", "The relay's."),
            Variable("DAGSTER_METRICS_PORT", Unit.PORT, "9465", "Those of Dagster's code server."),
            Variable("INGEST_METRICS_PORT", Unit.PORT, "9466", "Those of `ates ingest`."),
        ),
    ),
    Section(
        "One sign-in for all (the tracker is the OpenID provider)",
        (
            Variable(
                "DASHBOARDS_URL",
                Unit.URL,
                "http://127.0.0.1:{DASHBOARDS_PORT}",
                "How browsers reach the dashboards; nobody is sent back to another address.",
            ),
            Variable(
                "DAGSTER_URL",
                Unit.URL,
                "http://127.0.0.1:{DAGSTER_PORT}",
                "How browsers reach Dagster's pages; nobody is sent back to another address.",
            ),
            Variable(
                "OIDC_KEYS_PATH",
                Unit.FOLDER,
                "{ATES_HOME}/keys",
                "The keys that sign who somebody is; the first is made at the first sign-in.",
            ),
            Variable(
                "OIDC_DASHBOARDS_SECRET",
                Unit.SECRET,
                None,
                "The dashboards', at the provider; 16 characters or more; unset: generated.",
            ),
            Variable(
                "OIDC_DAGSTER_SECRET",
                Unit.SECRET,
                None,
                "Dagster's, at the provider; 16 characters or more; unset: generated.",
            ),
            Variable(
                "OIDC_PIPELINES_SECRET",
                Unit.SECRET,
                None,
                "The pipelines', at the provider; 16 characters or more; unset: generated.",
            ),
            Variable(
                "OIDC_CLIENTS",
                Unit.TEXT,
                None,
                "More clients, as a JSON list (docs/operations.md); unset: none.",
            ),
        ),
    ),
)
VARIABLES = {variable.name: variable for section in SECTIONS for variable in section.variables}
HEADER = """\
# Every setting, with its unit and default. Copy this file to `.env` and uncomment what differs;
# variables of the environment go before the file. For any X, X_FILE names a file that holds the
# value (for secrets). Written by `python -m ates.variables > .env.example`.
"""


def example() -> str:
    """The text of `.env.example`."""
    blocks = [HEADER]
    for section in SECTIONS:
        blocks.append(f"\n# --- {section.title}\n")
        for variable in section.variables:
            default = (variable.default or "").replace("{", "${")
            blocks.append(f"# {variable.unit}: {variable.doc}\n#{variable.name}={default}\n")
    return "".join(blocks)


if __name__ == "__main__":
    print(example(), end="")
