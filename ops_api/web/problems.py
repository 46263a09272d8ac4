"""Problems as RFC 9457 wants them: what went wrong, for programs and for people."""

import msgspec

from ops_api.errors import RuleViolation

MEDIA_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every refusal; `type` ends in the slug that programs may rely on."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None


def problem(
    status: int, slug: str, title: str, detail: str, *, instance: str | None = None
) -> Problem:
    """A problem of ours."""
    return Problem(
        type=f"urn:ates:problem:{slug}",
        title=title,
        status=status,
        detail=detail,
        instance=instance,
    )


def problem_of(refusal: RuleViolation) -> Problem:
    """What a refusal looks like from outside."""
    return problem(refusal.status, refusal.slug, refusal.title, refusal.detail)
