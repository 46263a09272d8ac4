"""Which pages there are and whose menu they stand in. The reads behind a page guard its figures."""

from pathlib import Path

import msgspec
import streamlit as st
from streamlit.navigation.page import Page

from dashboards.languages import _, noted
from warehouse.reading import ADMINS, EVERYBODY, MANAGEMENT, Role

FOLDER = Path(__file__).parent / "views"


class PageEntry(msgspec.Struct, frozen=True):
    """One page: its file in `views`, its path in the address, its name in English, whose it is."""

    name: str
    path: str
    title: str
    icon: str
    roles: frozenset[Role]

    @property
    def file(self) -> Path:
        """What Streamlit runs."""
        return FOLDER / f"{self.name}.py"


# Streamlit serves its first page under `/` alone, so every page with an address of its own follows.
HOME = PageEntry("home", "", noted("Home"), ":material/home:", EVERYBODY)
PAGES = (
    PageEntry("account", "account", noted("My account"), ":material/wallet:", EVERYBODY),
    PageEntry("company", "company", noted("Company"), ":material/finance:", MANAGEMENT),
    PageEntry("analytics", "analytics", noted("Analytics"), ":material/insights:", ADMINS),
    PageEntry("operations", "operations", noted("Operations"), ":material/monitor_heart:", ADMINS),
)
PAGE_PATHS = frozenset({HOME.path, *(page.path for page in PAGES)})
PATHS = frozenset({"auth", "oauth2callback", *PAGE_PATHS})


def pages_for(role: Role) -> list[Page]:
    """Every page, those that are not for this role left out of the menu.

    They stay reachable by address: whoever types one reads whose page it is, not "not found".
    """
    return [
        st.Page(HOME.file, title=_(HOME.title), icon=HOME.icon, default=True),
        *(
            st.Page(
                page.file,
                title=_(page.title),
                icon=page.icon,
                url_path=page.path,
                visibility="visible" if role in page.roles else "hidden",
            )
            for page in PAGES
        ),
    ]
