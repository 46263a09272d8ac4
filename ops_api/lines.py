"""One line of text from a person, as we store and show it."""

import unicodedata

from ops_api.errors import UnacceptableError

# Control characters, lone surrogates, line and paragraph separators.
_BREAKING_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Letters, marks, numbers, punctuation, symbols: at least one of them must be there to be seen.
_VISIBLE_KINDS = frozenset("LMNPS")


def clean_line(text: str, *, what: str, length_max: int) -> str:
    """The text in NFC without outer spaces; `what` names it in the refusal (`bad-title`)."""
    cleaned = unicodedata.normalize("NFC", text.strip())
    if len(cleaned) > length_max:
        raise UnacceptableError(
            f"bad-{what}", f"The {what} may have {length_max} characters, not {len(cleaned)}."
        )
    categories = {unicodedata.category(character) for character in cleaned}
    if categories & _BREAKING_CATEGORIES:
        raise UnacceptableError(
            f"bad-{what}", f"The {what} must be one line without control characters."
        )
    if not any(category[0] in _VISIBLE_KINDS for category in categories):
        raise UnacceptableError(f"bad-{what}", f"The {what} must not be empty.")
    return cleaned
