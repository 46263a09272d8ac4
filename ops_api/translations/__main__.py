"""`python -m ops_api.translations`: bring the catalogs up to date with code and templates.

New texts come in empty, for somebody to translate; texts that nobody uses any more go. The files
name no line numbers, so that moving code changes nothing in them.
"""

import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from ops_api.web.languages import LANGUAGES, SOURCE, catalog_path

ROOT = Path(__file__).parents[1]
METHODS = [
    ("imports/**", "ignore"),
    ("outbox/**", "ignore"),
    ("**.py", "python"),
    ("templates/**", "jinja2"),
]
OPTIONS = {"templates/**": {"silent": "false", "trimmed": "true", "encoding": "utf-8"}}
# A refusal's detail is its second argument; pages translate it when they show it.
REFUSALS = (
    "InvalidRequestError", "NotSignedInError", "NotAllowedError", "NotFoundError",
    "ConflictError", "UnacceptableError", "TooManyTriesError",
)  # fmt: skip
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "translated": None,
    "BusyError": None,
    **dict.fromkeys(REFUSALS, (2,)),
}


def updated(name: str) -> bytes:
    """A language's catalog as it should be: the texts of today, with the translations there are."""
    template = Catalog()
    for path, _, message, comments, context in extract_from_dir(
        ROOT, METHODS, OPTIONS, KEYWORDS, strip_comment_tags=True
    ):
        template.add(message, None, [(path, 0)], auto_comments=comments, context=context)
    if catalog_path(name).exists():
        with catalog_path(name).open("rb") as file:
            catalog = read_po(file, locale=name)
    else:
        catalog = Catalog(locale=name)
    catalog.update(template, no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    written = io.BytesIO()
    write_po(written, catalog, width=100, omit_header=True, sort_output=True, include_lineno=False)
    return written.getvalue()


def main() -> None:
    """Write every catalog."""
    for name in LANGUAGES:
        if name != SOURCE:
            catalog_path(name).write_bytes(updated(name))


if __name__ == "__main__":
    main()
