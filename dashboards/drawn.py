"""Pieces of a page that are drawn once for the same figures, and shown from memory after that.

Most refreshes find figures that were drawn before: by another tab, or by this one while nothing
moved. Streamlit plays the finished elements again, which takes a tenth of making them.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from dashboards.figures import FIGURES_CACHE_SECONDS, key_of
from dashboards.languages import language

DRAWN_MAX = 2_000
T = TypeVar("T")


def draw_once(draw: Callable[..., None], *figures: object, **words: object) -> None:
    """Call `draw(*figures, **words)`, which makes nothing that can be clicked and reads nothing.

    Figures are told apart as objects, so whoever sees a drawing has been given its figures by a
    read of their own; words are plain values.
    """
    made_once(draw, *figures, **words)


def made_once(make: Callable[..., T], *figures: object, **words: object) -> T:
    """The same for something that is made of figures, and not changed by whoever gets it."""
    key = key_of(make, language(), [id(each) for each in figures], sorted(words.items()))
    made, _figures = _made(key=key, _make=make, _figures=figures, _words=words)
    answer: T = made
    return answer


@st.cache_resource(ttl=FIGURES_CACHE_SECONDS, max_entries=DRAWN_MAX, show_spinner=False)
def _made(
    key: str,  # noqa: ARG001 - what it is remembered by
    _make: Callable[..., Any],
    _figures: tuple[object, ...],
    _words: dict[str, object],
) -> tuple[Any, tuple[object, ...]]:
    # The figures stay alive with what was made of them: no others can get their identity.
    return _make(*_figures, **_words), _figures
