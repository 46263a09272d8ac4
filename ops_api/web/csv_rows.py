"""Rows of CSV files that a spreadsheet opens without taking anybody's text for a formula."""

import csv
import io
import unicodedata
from collections.abc import Iterable

# What a cell begins with when spreadsheets calculate it.
FORMULA_STARTS = ("=", "+", "-", "@")


def csv_row(values: Iterable[object]) -> str:
    """One line, CRLF included; a text that would be a formula stands behind an apostrophe."""
    line = io.StringIO()
    csv.writer(line).writerow([_cell(value) for value in values])
    return line.getvalue()


def _cell(value: object) -> object:
    """Numbers stay numbers; a text may hide its formula behind spaces or a full-width sign."""
    if not isinstance(value, str):
        return value
    start = unicodedata.normalize("NFKC", value).lstrip()[:1]
    return f"'{value}" if start in FORMULA_STARTS else value
