"""Lines about what matters for security: `key=value`, one line each, never a secret."""

import json
import logging
import re

VALUE_LENGTH_MAX = 200

logger = logging.getLogger("ates.security")

_PLAIN = re.compile(r"[A-Za-z0-9_.:@/+\-]+")


def log_security(event: str, **fields: object) -> None:
    """Write `event=sign_in_refused email=...`; odd characters and line breaks are escaped."""
    pairs = " ".join(f"{name}={_shown(value)}" for name, value in fields.items())
    logger.info("event=%s %s", event, pairs)


def _shown(value: object) -> str:
    text = str(value)[:VALUE_LENGTH_MAX]
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
