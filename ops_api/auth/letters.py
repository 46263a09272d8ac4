"""The letter that brings a link, in the language its reader last used, else in the asker's."""

import datetime as dt
from urllib.parse import urlencode

from flask import render_template
from flask_babel import gettext as _

from contracts.letters import Letter
from ops_api.auth.links import Addressee
from ops_api.web.languages import LANGUAGES, language, speaking
from ops_api.web.state import tracker


def link_address(tracker_url: str, token: str) -> str:
    """Where a link leads."""
    return f"{tracker_url.rstrip('/')}/set-password?{urlencode({'token': token})}"


def write_letter(to: Addressee, token: str, expires_at: dt.datetime) -> Letter:
    """The letter; only within a request, in whose words it is if its reader's are not known."""
    known = to.language or ""
    with speaking(known if known in LANGUAGES else language()):
        subject = _("Welcome to Popug tasks: choose a password")
        if not to.is_first:
            subject = _("A new password for Popug tasks")
        words = {
            "to": to,
            "subject": subject,
            "address": link_address(tracker().settings.tracker_url, token),
            "expires_at": expires_at,
        }
        return Letter(
            name=to.name,
            email=to.email,
            subject=subject,
            text=render_template("letter.txt", **words),
            html=render_template("letter.html", **words),
        )
