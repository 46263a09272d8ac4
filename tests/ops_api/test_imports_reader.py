"""A log file is read completely or refused with its reason, row by row."""

import datetime as dt
import gzip
from pathlib import Path

import pytest

from ops_api.imports.mapping import Columns, File, Mapping, MappingError, Time, Values, read_mapping
from ops_api.imports.reader import LogError, LogRow, read_log

HEADER = "ticket,when,who,state,about\n"


def mapping_of(**parts: object) -> Mapping:
    whole = {
        "columns": Columns("ticket", "when", "who", "state", "about"),
        "values": Values(done=("done",)),
        **parts,
    }
    return Mapping(**whole)


def write(folder: Path, rows: str | bytes, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_bytes(HEADER.encode() + (rows.encode() if isinstance(rows, str) else rows))
    return path


def reasons(folder: Path, rows: str | bytes, **parts: object) -> list[tuple[int, str]]:
    log = read_log(write(folder, rows), mapping_of(**parts))
    return [(refusal.line, refusal.reason) for refusal in log.refusals]


def test_rows_come_in_time_order_and_ties_keep_the_files_order(tmp_path: Path) -> None:
    rows = "b,2024-01-02,x,open,\na,2024-01-01,x,open,\nc,2024-01-02,y,open,\n"

    log = read_log(write(tmp_path, rows), mapping_of())

    assert [row.ticket for row in log.rows] == ["a", "b", "c"]
    assert [row.line for row in log.rows] == [3, 2, 4]
    assert (log.count_rows, log.refusals) == (3, [])


def test_a_gzipped_log_is_the_same_log(tmp_path: Path) -> None:
    plain = write(tmp_path, "a,2024-01-01,x,open,\n")
    packed = tmp_path / "packed.csv"
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    one, other = read_log(plain, mapping_of()), read_log(packed, mapping_of())

    assert (one.digest, one.rows) == (other.digest, other.rows)


def test_cells_lose_the_white_space_around_them_and_a_byte_order_mark_goes(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("\ufeff ticket ,when,who,state,about\n a , 2024-01-01 ,\tx, open,\n")

    (row,) = read_log(path, mapping_of()).rows

    assert (row.ticket, row.worker, row.status, row.title) == ("a", "x", "open", "a")


def test_a_title_becomes_one_line_that_fits(tmp_path: Path) -> None:
    long = "e\u0301" * 600
    rows = f'a,2024-01-01,x,open,"one\n\ttwo\x07"\nb,2024-01-02,x,open,{long}\n'

    first, second = read_log(write(tmp_path, rows), mapping_of()).rows

    assert first.title == "one two"
    assert second.title == "\u00e9" * 500


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"a,2024-13-01,x,open,t", "time '2024-13-01' is not iso8601"),
        (b"a,,x,open,t", "time '' is not iso8601"),
        (b"a,1969-12-31,x,open,t", "time '1969-12-31' is not between 1970 and 2900"),
        (b"a,0001-01-01T00:00:00+05:00,x,open,t", "is not iso8601"),
        (b",2024-01-01,x,open,t", "no ticket"),
        (b"a,2024-01-01,x,open", "4 columns, but the header has 5"),
        (b"a,2024-01-01,x,open,t,u", "6 columns, but the header has 5"),
        (b'a,2024-01-01,"x"y,open,t', "malformed CSV"),
        (b"a,2024-01-01,x\xff,open,t", "worker 'x\\udcff' is not in the mapping's encoding"),
        (b'a,2024-01-01,"x\ny",open,t', "worker 'x\\ny' holds a control character"),
        (b"a\x00,2024-01-01,x,open,t", "ticket 'a\\x00' holds a control character"),
        (b"a,2024-01-01," + b"x" * 201 + b",open,t", "worker is longer than 200 characters"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_the_others_go_on(
    tmp_path: Path, row: bytes, reason: str
) -> None:
    good = b"g,2024-01-01,x,open,t\n"
    log = read_log(write(tmp_path, good + row + b"\n" + good), mapping_of())

    assert [refusal.line for refusal in log.refusals] == [3]
    assert reason in log.refusals[0].reason
    assert len(log.rows) == 2


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, "\na,2024-01-01,x,open,\n\n\n"), mapping_of())

    assert (log.count_rows, log.rows[0].line) == (1, 3)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no header"),
        (b"ticket,when,who,about\n", "column 'state' is missing"),
        (b"ticket,when,who,state,who,about\n", "column 'who' appears more than once"),
        (b'ticket,when,who,state,about\na,2024-01-01,"x,open,t\nb,2024\n', "line 2 never ends"),
        (gzip.compress(b"ticket,when" * 999, mtime=0)[:-9], "gzip file is broken or incomplete"),
    ],
)
def test_a_file_that_is_no_use_is_refused_as_a_whole(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(content)

    with pytest.raises(LogError, match=reason):
        read_log(path, mapping_of())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"nowhere\.csv: No such file"):
        read_log(tmp_path / "nowhere.csv", mapping_of())


def test_other_encodings_delimiters_and_time_formats_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes("ticket;when;who;state\nä;24.12.2023 18:30;ö;fertig\n".encode("utf-16"))
    mapping = Mapping(
        columns=Columns("ticket", "when", "who", "state"),
        values=Values(done=("fertig",)),
        time=Time("%d.%m.%Y %H:%M", "Europe/Berlin"),
        file=File("utf-16", ";"),
    )

    log = read_log(path, mapping)

    at = dt.datetime(2023, 12, 24, 17, 30, tzinfo=dt.UTC)
    assert log.rows == [LogRow(2, "ä", at, "ö", "fertig", "ä")]


def test_a_wrong_encoding_is_an_error_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="not utf-16"):
        read_log(write(tmp_path, "a,2024-01-01,x,open,\n"), mapping_of(file=File("utf-16")))


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        ("2024-03-10T01:59:59", "2024-03-10T06:59:59"),
        ("2024-03-10T02:30:00", "2024-03-10T07:30:00"),  # skipped: read with the offset before
        ("2024-11-03T01:30:00", "2024-11-03T05:30:00"),  # twice: the first of the two
        ("2024-11-03T01:30:00-05:00", "2024-11-03T06:30:00"),  # an offset of its own counts
        ("2024-11-03T06:30:00Z", "2024-11-03T06:30:00"),
    ],
)
def test_times_without_an_offset_are_local_also_when_clocks_change(
    tmp_path: Path, wall: str, utc: str
) -> None:
    mapping = mapping_of(time=Time(zone="America/New_York"))

    (row,) = read_log(write(tmp_path, f"a,{wall},x,open,\n"), mapping).rows

    assert row.occurred_at == dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC)


GOOD = """
[columns]
ticket = "t"
time = "at"
worker = "w"
status = "s"
[values]
done = ["Completed"]
"""


def test_a_mapping_needs_only_four_columns_and_the_word_for_done(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(GOOD)

    mapping = read_mapping(path)

    assert mapping.values == Values(done=("Completed",), nobody=("",))
    assert (mapping.time.format, mapping.file.encoding) == ("iso8601", "utf-8")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("ticket =", "tickets ="), "unknown field `tickets` - at `\\$.columns`"),
        (('ticket = "t"', ""), "missing required field `ticket` - at `\\$.columns`"),
        (('ticket = "t"', "ticket = 7"), "Expected `str`, got `int` - at `\\$.columns.ticket`"),
        (('ticket = "t"', 'ticket = ""'), "columns.ticket names no column"),
        (('done = ["Completed"]', "done = []"), "values.done is empty"),
        (("[values]", '[time]\nzone = "Mars/Base"\n[values]'), "time.zone 'Mars/Base' is unknown"),
        (("[values]", '[time]\nzone = "../../x"\n[values]'), "time.zone .* is unknown"),
        (("[values]", '[time]\nformat = "dd.mm.yy"\n[values]'), "time.format 'dd.mm.yy'"),
        (("[values]", '[file]\nencoding = "utf-99"\n[values]'), "file.encoding 'utf-99'"),
        (("[values]", '[file]\nencoding = "hex"\n[values]'), "file.encoding 'hex'"),
        (("[values]", '[file]\ndelimiter = ";;"\n[values]'), "file.delimiter ';;'"),
        (("[values]", "[values"), r"mapping\.toml: "),
    ],
)
def test_a_wrong_mapping_is_refused_by_key(
    tmp_path: Path, change: tuple[str, str], reason: str
) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(GOOD.replace(*change))

    with pytest.raises(MappingError, match=reason):
        read_mapping(path)


def test_a_missing_mapping_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"nowhere\.toml: No such file"):
        read_mapping(tmp_path / "nowhere.toml")
