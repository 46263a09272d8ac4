"""Words for what programs call by name: roles, themes, refusals."""

from flask_babel import lazy_gettext

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
