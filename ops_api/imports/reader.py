"""A log file, plain or gzip, turned into rows in time order.

A row that cannot be used is refused with its line and a reason and the others go on; a file that
cannot be used at all (no such column, wrong encoding, truncated gzip) raises LogError.
"""

import csv
import datetime as dt
import gzip
import hashlib
import io
import re
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

import msgspec

from contracts.events import EXTERNAL_ID_LENGTH_MAX, TITLE_LENGTH_MAX
from ops_api.imports.mapping import ISO8601, Mapping

# All rows are held in memory to be sorted: about 0.5 kB each.
ROWS_MAX = 5_000_000
CELL_LENGTH_MAX = 1_000_000
YEAR_MIN = 1970
YEAR_MAX = 2900
SHOWN_LENGTH_MAX = 60

_QUOTE_NEVER_ENDS = "unexpected end of data"
_GZIP_MAGIC = b"\x1f\x8b"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_UNDECODABLE = re.compile(r"[\ud800-\udfff]")


class LogError(ValueError):
    """The whole file cannot be imported; the message names the file and says why."""


class BadRowError(ValueError):
    """One row cannot be used; the message is the reason."""


class LogRow(msgspec.Struct, frozen=True, gc=False):
    """One state change of one ticket, its cells freed of white space around them.

    `line` is where the row begins in the file (the header is line 1); `occurred_at` is UTC.
    """

    line: int
    ticket: str
    occurred_at: dt.datetime
    worker: str
    status: str
    title: str


class Refusal(msgspec.Struct, frozen=True):
    """One row that was not taken, and why."""

    line: int
    reason: str


class Log(msgspec.Struct, frozen=True):
    """A whole file: its rows in time order (same instant: file order) and what was refused.

    `digest` is the SHA-256 of the text, so a gzipped copy is the same log.
    """

    name: str
    digest: str
    rows: list[LogRow]
    refusals: list[Refusal]

    @property
    def count_rows(self) -> int:
        """Rows read, refused ones included."""
        return len(self.rows) + len(self.refusals)


class _CsvReader(Protocol):
    line_num: int

    def __next__(self) -> list[str]: ...


def read_log(path: Path, mapping: Mapping) -> Log:
    """Read, check and sort a whole log. Raises LogError when the file as such is no use."""
    rows: list[LogRow] = []
    refusals: list[Refusal] = []
    try:
        with _opened(path) as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        with _opened(path) as stream:
            text = io.TextIOWrapper(
                stream, mapping.file.encoding, errors="surrogateescape", newline=""
            )
            for outcome in _rows_of(text, path, mapping):
                if isinstance(outcome, LogRow):
                    rows.append(outcome)
                else:
                    refusals.append(outcome)
    except (EOFError, zlib.error) as error:
        raise LogError(f"{path}: the gzip file is broken or incomplete ({error})") from error
    except OSError as error:
        raise LogError(f"{path}: {error.strerror or error}") from error
    except UnicodeError as error:
        raise LogError(f"{path}: the text is not {mapping.file.encoding} ({error})") from error
    rows.sort(key=lambda row: row.occurred_at)
    return Log(name=path.name, digest=digest, rows=rows, refusals=refusals)


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader | gzip.GzipFile]:
    with path.open("rb") as raw:
        is_gzip = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
        raw.seek(0)
        if not is_gzip:
            yield raw
            return
        with gzip.open(raw) as unpacked:
            yield unpacked


def _rows_of(text: TextIO, path: Path, mapping: Mapping) -> Iterator[LogRow | Refusal]:
    # NUL and other oddities inside cells are the rows' own trouble; a quote out of place is an
    # error of its row, where a lenient reader would swallow the rest of the file into one cell.
    csv.field_size_limit(CELL_LENGTH_MAX)
    reader = csv.reader(text, delimiter=mapping.file.delimiter, strict=True)
    read_cells = _cells_reader(_header(reader, path), path, mapping)
    read_time = time_reader(mapping)
    for count, (line, cells) in enumerate(_records(reader, path), start=1):
        if count > ROWS_MAX:
            raise LogError(f"{path}: more than {ROWS_MAX:,} rows; import it in parts")
        try:
            yield _row(line, read_cells(cells), read_time)
        except BadRowError as error:
            yield Refusal(line, str(error))


def _records(reader: _CsvReader, path: Path) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Every record that is not blank with the line it begins at; a malformed one as its error."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if str(error) == _QUOTE_NEVER_ENDS:
                raise LogError(
                    f"{path}: a quote opened in the row of line {line} never ends"
                ) from error
            yield line, error
            continue
        if cells:
            yield line, cells


def _header(reader: _CsvReader, path: Path) -> list[str]:
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise LogError(f"{path}: the header is malformed ({error})") from error
    if not header:
        raise LogError(f"{path}: the file has no header row")
    return [name.removeprefix("\ufeff").strip() for name in header]


def _cells_reader(
    header: list[str], path: Path, mapping: Mapping
) -> Callable[[list[str] | csv.Error], tuple[str, str, str, str, str]]:
    columns = mapping.columns
    names = (columns.ticket, columns.time, columns.worker, columns.status)
    named = [*names, columns.title if columns.title is not None else columns.ticket]
    for name in named:
        if header.count(name) != 1:
            fault = "is missing" if name not in header else "appears more than once"
            raise LogError(f"{path}: column {name!r} {fault}; the header has {', '.join(header)}")
    indexes = [header.index(name) for name in named]
    width = len(header)

    def read_cells(cells: list[str] | csv.Error) -> tuple[str, str, str, str, str]:
        if isinstance(cells, csv.Error):
            raise BadRowError(f"malformed CSV: {cells}")
        if len(cells) != width:
            raise BadRowError(f"{len(cells)} columns, but the header has {width}")
        ticket, time, worker, status, title = (cells[index].strip() for index in indexes)
        return ticket, time, worker, status, title

    return read_cells


def _row(
    line: int, cells: tuple[str, str, str, str, str], read_time: Callable[[str], dt.datetime]
) -> LogRow:
    ticket, time, worker, status, title = cells
    if not ticket:
        raise BadRowError("no ticket")
    for what, cell in (("ticket", ticket), ("worker", worker), ("title", title)):
        if _UNDECODABLE.search(cell):
            raise BadRowError(f"{what} {_shown(cell)} is not in the mapping's encoding")
    for what, cell in (("ticket", ticket), ("worker", worker)):
        if len(cell) > EXTERNAL_ID_LENGTH_MAX:
            raise BadRowError(f"{what} is longer than {EXTERNAL_ID_LENGTH_MAX} characters")
        if _CONTROL.search(cell):
            raise BadRowError(f"{what} {_shown(cell)} holds a control character")
    return LogRow(line, ticket, read_time(time), worker, status, _tidy(title) or ticket)


def _tidy(title: str) -> str:
    """One line in NFC that fits; a title is only shown, so it is made to fit and never refused."""
    line = unicodedata.normalize("NFC", _BLANKS.sub(" ", title))
    return line[:TITLE_LENGTH_MAX].strip()


def time_reader(mapping: Mapping) -> Callable[[str], dt.datetime]:
    """A function from a time cell to UTC; it raises BadRowError naming cell and format."""
    zone, pattern = mapping.zone, mapping.time.format

    def read_time(cell: str) -> dt.datetime:
        try:
            if pattern == ISO8601:
                moment = dt.datetime.fromisoformat(cell)
            else:
                moment = dt.datetime.strptime(cell, pattern)  # noqa: DTZ007 - zone: next line
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=zone)
            moment = moment.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise BadRowError(f"time {_shown(cell)} is not {pattern}") from None
        if not YEAR_MIN <= moment.year <= YEAR_MAX:
            raise BadRowError(f"time {_shown(cell)} is not between {YEAR_MIN} and {YEAR_MAX}")
        return moment

    return read_time


def _shown(cell: str) -> str:
    text = cell if len(cell) <= SHOWN_LENGTH_MAX else f"{cell[:SHOWN_LENGTH_MAX]}..."
    return ascii(text)
