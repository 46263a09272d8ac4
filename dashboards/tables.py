"""A table as a file: CSV for programs, XLSX for people who go on calculating.

Titles of tasks come from anybody, so no cell that begins like a formula may become one.
"""

import csv
import datetime as dt
import io
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import xlsxwriter

Cell = str | int | Decimal | dt.date | dt.datetime | None
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# What one worksheet holds, the header apart.
ROWS_MAX = 1_048_575
COLUMN_WIDTH_MAX = 60


class Table(msgspec.Struct, frozen=True):
    """Named columns and their rows; amounts are Decimal in whole units, times aware."""

    file_name: str  # without its ending
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def csv_of(table: Table) -> bytes:
    """RFC 4180, UTF-8; amounts with two decimals and a plain minus, times in ISO 8601."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([_csv_cell(name) for name in table.columns])
    writer.writerows([_csv_cell(cell) for cell in row] for row in table.rows)
    return file.getvalue().encode()


def xlsx_of(table: Table) -> bytes:
    """One worksheet: header in bold and always in sight, amounts and dates as such."""
    assert len(table.rows) <= ROWS_MAX
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet(table.title[:31])
        formats = {
            Decimal: book.add_format({"num_format": "#,##0.00"}),
            dt.date: book.add_format({"num_format": "yyyy-mm-dd"}),
            dt.datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        sheet.write_row(0, 0, table.columns, book.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(table.rows, start=1):
            for column, cell in enumerate(row):
                _write(sheet, number, column, cell, formats)
        sheet.autofit(COLUMN_WIDTH_MAX * 7)  # in pixels
    return file.getvalue()


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
    if isinstance(cell, Decimal):
        return f"{cell:.2f}"
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell)


def _write(
    sheet: xlsxwriter.worksheet.Worksheet,
    row: int,
    column: int,
    cell: Cell,
    formats: dict[type, xlsxwriter.format.Format],
) -> None:
    if isinstance(cell, str):
        sheet.write_string(row, column, cell)
    elif isinstance(cell, dt.datetime):
        # A worksheet knows no zones; the column's name says which one it is.
        sheet.write_datetime(row, column, cell.replace(tzinfo=None), formats[dt.datetime])
    elif isinstance(cell, dt.date):
        sheet.write_datetime(row, column, cell, formats[dt.date])
    elif isinstance(cell, Decimal):
        sheet.write_number(row, column, cell, formats[Decimal])
    elif cell is not None:
        sheet.write_number(row, column, cell)
