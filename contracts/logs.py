"""The form of a log line, which every process of ours shares with whoever reads logs.

`2026-03-02T12:00:00.123Z level=INFO logger=ates.relay event=published first_position=7`: times in
UTC, then `key=value`, one line a change of state and none a turn of a loop. Never a secret.
"""

import json
import logging
import re
import time
from collections.abc import Iterable

VALUE_LENGTH_MAX = 200

_FORMAT = "%(asctime)s.%(msecs)03dZ level=%(levelname)s logger=%(name)s %(message)s"
_DATE_FORMAT = "%Y-%m-%dT%H:%M:%S"
_PLAIN = re.compile(r"[A-Za-z0-9_.:@/+\-]+")


def configure(*, talkative: Iterable[str] = ()) -> None:
    """Send this process's lines to stderr in that form; for programs, called once at their start.

    Of `talkative` loggers only warnings are kept. A process whose root logger has a handler already
    keeps it.
    """
    formatter = logging.Formatter(_FORMAT, _DATE_FORMAT)
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in talkative:
        logging.getLogger(name).setLevel(logging.WARNING)


def line(event: str, **fields: object) -> str:
    """`event=mail_sent employee_id=...`: odd characters are escaped, long values cut.

    A field that is None is left out.
    """
    return f"event={event} {pairs(**fields)}".rstrip()


def pairs(**fields: object) -> str:
    """The fields alone, as they stand in a line."""
    given = {name: value for name, value in fields.items() if value is not None}
    return " ".join(f"{name}={_shown(value)}" for name, value in given.items())


def _shown(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)[:VALUE_LENGTH_MAX]
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
