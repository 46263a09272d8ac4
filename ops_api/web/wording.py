"""Words for what programs call by name: roles, themes, refusals."""

from flask_babel import lazy_gettext

from ops_api.web.languages import SOURCE, language, translated

ROLES = {
    "worker": lazy_gettext("worker"),
    "manager": lazy_gettext("manager"),
    "accountant": lazy_gettext("accountant"),
    "admin": lazy_gettext("admin"),
}
THEMES = {
    "system": lazy_gettext("like the system"),
    "light": lazy_gettext("light"),
    "dark": lazy_gettext("dark"),
}


def role_name(role: str) -> str:
    """What a role is called on a page."""
    return str(ROLES[role])


def theme_name(theme: str) -> str:
    """What a theme is called on a page."""
    return str(THEMES[theme])


# Refusals that name a figure or a choice in English; here they are said without it.
REFUSALS = {
    "bad-title": lazy_gettext("A title is one line of 1 to 500 characters."),
    "bad-name": lazy_gettext("A name is one line of 1 to 200 characters."),
    "bad-email": lazy_gettext("That is not an e-mail address."),
    "bad-role": lazy_gettext("There is no such role."),
    "password-length": lazy_gettext("A password has 12 to 128 characters."),
    "not-the-assignee": lazy_gettext("This task is somebody else's by now."),
    "idempotency-key-malformed": lazy_gettext("This form is damaged. Load the page again."),
    "idempotency-key-reused": lazy_gettext("This form was sent before with something else in it."),
}
# What a failure is called on a page; the API's titles stay English.
PROBLEMS = {
    400: lazy_gettext("Bad request"),
    401: lazy_gettext("Sign in first"),
    403: lazy_gettext("Not allowed"),
    404: lazy_gettext("Not found"),
    405: lazy_gettext("Not possible here"),
    409: lazy_gettext("Not possible now"),
    413: lazy_gettext("Too large"),
    422: lazy_gettext("Not acceptable"),
    429: lazy_gettext("Too many requests"),
    500: lazy_gettext("Our mistake"),
    503: lazy_gettext("Try again soon"),
}
# Details of failures that are no refusals (`web/failures.py`), named here for the catalogs.
DETAILS = (
    lazy_gettext("There is nothing at this address."),
    lazy_gettext("This address does not take such a request."),
    lazy_gettext(
        "The database does not answer. Nothing was changed by half; try again in a moment."
    ),
    lazy_gettext("That was our mistake, and it is written down under this number."),
)


# What is asked for beside a filter (`tasks/pages_all.py`), named here for the catalogs.
FILTERS = (
    lazy_gettext("Nobody has such a name or e-mail."),
    lazy_gettext("Several people have such a name. Whom do you mean?"),
)


def problem_title(status: int, title: str) -> str:
    """What a failure is called, in the reader's language."""
    return str(PROBLEMS[status]) if status in PROBLEMS else title


def refusal(slug: str, detail: str) -> str:
    """Why something was refused, in the reader's language; English says it most exactly."""
    if language() != SOURCE and slug in REFUSALS:
        return str(REFUSALS[slug])
    return translated(detail)
