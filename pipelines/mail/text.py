"""Words and sums as a mail may show them: text from outside stays text."""

import re
import unicodedata

ZERO_WIDTH_SPACE = "\u200b"
# Mail programs make links of these by themselves; a gap nobody sees stops that.
LINK_LIKE = re.compile(
    r"(?<=[a-z0-9]:)(?=//)"  # http://...
    r"|(?<=\w\.)(?=[^\W\d_]{2})"  # www.x, example.com
    r"|(?<=\S)(?=@\S)"  # a@b
    r"|(?<=\bmailto:)(?=\S)|(?<=\bjavascript:)(?=\S)|(?<=\btel:)(?=\S)",
    re.IGNORECASE,
)
LINK_SIGNS = frozenset(".:@")
BIDI_CONTROLS = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
)


def one_line(words: str) -> str:
    """The words on one line: no control characters, no reversed text, no runs of spaces."""
    if words.isascii() and words.isprintable():
        return " ".join(words.split())
    kept = (
        " " if unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} else letter
        for letter in words
        if letter not in BIDI_CONTROLS
    )
    return " ".join("".join(kept).split())


def without_links(words: str) -> str:
    """The same words on one line, looking the same, of which no mail program makes a link."""
    line = one_line(words)
    return line if LINK_SIGNS.isdisjoint(line) else LINK_LIKE.sub(ZERO_WIDTH_SPACE, line)


def money(cents: int) -> str:
    """Cents as whole units with two decimals: 123456 gives `1,234.56`, -50 gives `-0.50`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
