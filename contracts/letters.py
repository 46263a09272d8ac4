"""A letter that the tracker writes and the mail office sends, as it lies in the database till then.

Its words are final. Sender, date and Message-ID are the office's.
"""

import msgspec


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One mail to one person; text and HTML say the same."""

    name: str
    email: str
    subject: str
    text: str
    html: str
