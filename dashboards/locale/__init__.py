"""Texts of the pages in other languages than English: `*.po`, kept beside the code they translate.

`python -m dashboards.locale` brings new texts into them; a test fails while one has no translation.
"""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from warehouse.checks import read_checks

FOLDER = Path(__file__).parent
KEYWORDS = {"_": None, "_n": (1, 2), "noted": None}
LINE_WIDTH = 96


def extracted() -> Catalog:
    """Every text that the code shows, and what the checks say."""
    catalog = Catalog(project="ates dashboards", charset="utf-8")
    found = extract_from_dir(
        FOLDER.parent, [("**.py", "python")], keywords=KEYWORDS, strip_comment_tags=True
    )
    for _file, _line, text, _comments, _context in sorted(found, key=lambda each: each[:2]):
        catalog.add(text)
    for check in read_checks():
        catalog.add(check.statement)
    return catalog


def read_catalog(path: Path) -> Catalog:
    """A language's texts."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def write_catalog(path: Path, template: Catalog) -> None:
    """Keep what is translated, add what is new (empty), drop what nobody shows any more."""
    catalog = read_catalog(path)
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    with path.open("wb") as file:
        write_po(file, catalog, width=LINE_WIDTH, omit_header=False, ignore_obsolete=True)
