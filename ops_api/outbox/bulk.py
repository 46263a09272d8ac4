"""Event bodies for thousands of rows at once, written by SQL and yet byte for byte by contracts.

`contracts` encodes one event whose varying values are markers. Cut at the markers, the bytes
become the fixed pieces between which SQL puts each row's own values: the layout of an event is
known in one place only, and a bulk command needs neither JSON functions nor a row in Python.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Template(NamedTuple):
    """A body cut at its markers: `pieces` is one longer than `holes`, which alternate with it."""

    pieces: tuple[str, ...]
    holes: tuple[str, ...]

    def expression(self) -> str:
        """SQL text that puts the body together; it needs the parameters of `parameters()`."""
        parts = [":piece_0"]
        for number, hole in enumerate(self.holes, start=1):
            parts += [hole, f":piece_{number}"]
        return f"concat({', '.join(parts)})"

    def parameters(self) -> dict[str, str]:
        """The fixed pieces, by the names that `expression()` uses."""
        return {f"piece_{number}": piece for number, piece in enumerate(self.pieces)}


def cut(body: bytes, markers: Mapping[str, str]) -> Template:
    """Cut an encoded event at its markers; `markers` maps a marker to the SQL that replaces it.

    A marker is the value as JSON shows it, with the quotes when the SQL brings its own.
    """
    text = body.decode()
    assert all(marker in text for marker in markers), "each marker must occur in the body"
    pieces = re.split("|".join(f"({re.escape(marker)})" for marker in markers), text)
    fixed, found = _apart(pieces, len(markers))
    return Template(tuple(fixed), tuple(markers[marker] for marker in found))


def _apart(pieces: Sequence[str | None], count_markers: int) -> tuple[list[str], list[str]]:
    """`re.split` gives a text, then one place per marker of which one is filled, and so on."""
    fixed: list[str] = []
    found: list[str] = []
    for start in range(0, len(pieces), count_markers + 1):
        fixed.append(pieces[start] or "")
        found += [each for each in pieces[start + 1 : start + 1 + count_markers] if each]
    return fixed, found
