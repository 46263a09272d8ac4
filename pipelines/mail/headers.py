"""The standard mail policy, only faster: header classes and unchanging headers are made once.

The registry of `email` creates a class for every header it meets, and parses `Content-Type` and
its like anew for each part; that was most of the time a mail took to build.
"""

from email.headerregistry import BaseHeader, HeaderRegistry
from email.policy import SMTP, EmailPolicy
from functools import lru_cache
from typing import Any

# Headers with few different values; all others are parsed every time.
REPEATED = frozenset(
    {"from", "date", "mime-version", "content-type", "content-transfer-encoding", "auto-submitted"}
)
CLASSES_KEPT_MAX = 64
HEADERS_KEPT_MAX = 256


class KeepingRegistry(HeaderRegistry):
    """A header registry that remembers; safe because a parsed header never changes."""

    def __init__(self) -> None:
        super().__init__()
        self._class_of = lru_cache(maxsize=CLASSES_KEPT_MAX)(super().__getitem__)
        self._parsed = lru_cache(maxsize=HEADERS_KEPT_MAX)(super().__call__)

    def __getitem__(self, name: str) -> type[BaseHeader]:
        return self._class_of(name)

    def __call__(self, name: str, value: Any) -> BaseHeader:
        is_kept = name.lower() in REPEATED and isinstance(value, str)
        return self._parsed(name, value) if is_kept else super().__call__(name, value)


class KeepingPolicy(EmailPolicy):
    """The policy `SMTP`, which also remembers how a header that repeats is written."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The bytes of one header, lines broken."""
        is_kept = name.lower() in REPEATED and isinstance(value, BaseHeader)
        return _fold_once(self, name, value) if is_kept else super().fold_binary(name, value)


@lru_cache(maxsize=HEADERS_KEPT_MAX)
def _fold_once(policy: EmailPolicy, name: str, value: Any) -> bytes:
    return EmailPolicy.fold_binary(policy, name, value)


MAIL_POLICY = KeepingPolicy(header_factory=KeepingRegistry(), linesep=SMTP.linesep)
MAIL_POLICY_WITH_UTF8 = MAIL_POLICY.clone(utf8=True)
