"""CloudEvents 1.0 in JSON: the metadata around every event's data.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
Extensions of ours: `sequence` (the subject's version), `businessdate`, `correlationid`
(one per user action). The bytes are fixed when the event is written and never made again.
"""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from contracts.events import Number

SOURCE = "ates/ops_api"

UtcTime = Annotated[dt.datetime, Meta(tz=True)]


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One event as it travels; `data` stays undecoded until its version is known."""

    specversion: Literal["1.0"]
    id: UUID
    type: str
    source: Annotated[str, Meta(min_length=1)]
    subject: Annotated[str, Meta(min_length=1)]
    time: UtcTime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str
    sequence: Number
    businessdate: dt.date
    correlationid: UUID
    data: msgspec.Raw

    @property
    def version(self) -> int:
        """The data's version (`task.created/2` gives 2) of an envelope that `decode` accepted."""
        return int(self.dataschema.rpartition("/")[2])
