"""What can go wrong, as types that say who has to act.

RuleViolation              the request is refused; asking again will not help; nothing has changed
  InvalidRequestError 400  it cannot be read
  NotSignedInError    401  nobody is known to be asking
  NotAllowedError     403  the one who asks may not
  NotFoundError       404  there is no such thing
  ConflictError       409  it contradicts the present state
  UnacceptableError   422  it can be read, but a value is impossible
  TooManyTriesError   429  it was tried too often; later it may be tried again
BusyError             503  too much at once; the same request may work in a moment

`slug` names the case for programs (`no-assignable-employee`), the message is for people.
"""

from typing import ClassVar


class RuleViolation(Exception):  # noqa: N818 - a refusal is an answer, not a mistake of ours
    """A request that the rules refuse; answered with `status` and never retried by us."""

    status: ClassVar[int] = 409
    title: ClassVar[str] = "Refused"

    def __init__(self, slug: str, detail: str) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail


class InvalidRequestError(RuleViolation):
    """The request cannot be understood."""

    status = 400
    title = "Bad request"


class NotSignedInError(RuleViolation):
    """Nobody is signed in, or the session has ended."""

    status = 401
    title = "Sign in first"


class NotAllowedError(RuleViolation):
    """The one who asks has no right to this."""

    status = 403
    title = "Not allowed"


class NotFoundError(RuleViolation):
    """What the request speaks of does not exist."""

    status = 404
    title = "Not found"


class ConflictError(RuleViolation):
    """The request contradicts the present state."""

    status = 409
    title = "Not possible now"


class UnacceptableError(RuleViolation):
    """A value is impossible."""

    status = 422
    title = "Not acceptable"


class TooManyTriesError(RuleViolation):
    """Too often; `retry_after_seconds` later it may be tried again."""

    status = 429
    title = "Too many tries"

    def __init__(self, slug: str, detail: str, retry_after_seconds: int) -> None:
        super().__init__(slug, detail)
        self.retry_after_seconds = retry_after_seconds


class BusyError(Exception):
    """Too many of the same at once; `retry_after_seconds` later it may work."""

    def __init__(self, detail: str, retry_after_seconds: int = 2) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds
