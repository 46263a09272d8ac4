"""Texts in requests, as the API's document describes them; the rules of each subject decide.

`line` is one line of text: in NFC, without control characters, with something to be seen.
"""

from typing import Annotated

from msgspec import Meta

WORDS_LENGTH_MAX = 100

# What is looked for in texts; PostgreSQL's texts hold no NUL.
Words = Annotated[str, Meta(max_length=WORDS_LENGTH_MAX, pattern=r"^[^\x00]*$")]


def line(length_max: int, **more: object) -> Meta:
    """The document's words for one line of text of bounded length."""
    return Meta(
        extra_json_schema={"format": "line", "minLength": 1, "maxLength": length_max} | more
    )
