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
    "system": lazy_gettext("as the system has it"),
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
    "not-the-assignee": lazy_gettext("This task is somebody else's by now."),
    "idempotency-key-malformed": lazy_gettext("This form is damaged. Load the page again."),
    "idempotency-key-reused": lazy_gettext("This form was sent before with something else in it."),
}


def refusal(slug: str, detail: str) -> str:
    """Why something was refused, in the reader's language; English says it most exactly."""
    if language() != SOURCE and slug in REFUSALS:
        return str(REFUSALS[slug])
    return translated(detail)
