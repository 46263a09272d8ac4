"""The table of imports; grain: one row per log and mapping that was ever imported.

What a run of the same import needs to go on or to say that nothing is left: the terms fixed at the
start, how many moves are written, and the tickets that live commands took over meanwhile.
An import is unfinished while both `finished_at` and `abandoned_at` are null; there is at most one,
and while there is one, only the import itself closes days.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ops_api.metadata import metadata

imports = Table(
    "imports",
    metadata,
    Column("import_id", Uuid, primary_key=True),
    Column("file_name", Text, nullable=False),
    Column("file_digest", Text, nullable=False),
    Column("mapping_digest", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("business_timezone", Text, nullable=False),
    Column("shift_weeks", Integer, nullable=False),
    Column("now", DateTime(timezone=True), nullable=False),
    Column("is_mail_wanted", Boolean, nullable=False),
    Column("count_moves_written", BigInteger, nullable=False),
    Column("overtaken_tickets", ARRAY(Text), nullable=False),
    Column("tally", JSONB, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("abandoned_at", DateTime(timezone=True)),
    UniqueConstraint("file_digest", "mapping_digest"),
    CheckConstraint("count_moves_written >= 0", "count_moves_written"),
    CheckConstraint("finished_at is null or abandoned_at is null", "one_end"),
)
Index(
    "imports_unfinished_key",
    text("(true)"),
    unique=True,
    postgresql_where=text("finished_at is null and abandoned_at is null"),
)
