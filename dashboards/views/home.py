"""The first page: how things stand for whoever looks, and where to read more."""

import streamlit as st

from dashboards.access import Viewer
from dashboards.drawn import draw_once
from dashboards.figures import read_figures, read_state
from dashboards.frame import live_page, plain, role_name, show_freshness
from dashboards.languages import _
from dashboards.navigation import PAGES
from dashboards.views.headlines import company_now, own_now, show_company_head, show_own_head
from dashboards.widgets import show_figure
from dashboards.wording import number
from warehouse.operations import read_lake_health

PAGE = {page.name: page for page in PAGES}


def show_home(viewer: Viewer) -> None:
    """The head of each page that is for this role, and a link to it."""
    if unknown := st.query_params.get("unknown"):
        st.info(_("There is no page “{name}” here.").format(name=plain(unknown[:80])))
    st.write(
        _("Welcome, {name}. You are signed in as {role}.").format(
            name=plain(viewer.name), role=role_name(viewer.role)
        )
    )
    if show_freshness(read_state()):
        if viewer.role in PAGE["company"].roles:
            show_link("company")
            draw_once(show_company_head, company_now(viewer))
        show_link("account")
        draw_once(show_own_head, own_now(viewer))
    if viewer.role in PAGE["operations"].roles:
        show_link("operations")
        show_operations_head(viewer)
    if viewer.role in PAGE["analytics"].roles:
        show_link("analytics")
        st.write(_("Who is below zero, the dearest tasks, and how work flows."))


def show_link(name: str) -> None:
    """The heading of a page's figures, which leads to the page."""
    page = PAGE[name]
    st.subheader(_(page.title), anchor=name)
    st.page_link(page.file, label=_("More: {page}").format(page=_(page.title)), icon=page.icon)


def show_operations_head(viewer: Viewer) -> None:
    """What somebody would have to look after, as far as the lake knows."""
    health = read_figures(read_lake_health, viewer)
    checks, quarantine, days = st.columns(3)
    show_figure(checks, _("Checks that do not hold"), number(len(health.failing)))
    show_figure(quarantine, _("Records in quarantine"), number(health.count_quarantined))
    show_figure(days, _("Closed days not paid"), number(health.count_days_unpaid))


live_page(_("UberPopug dashboards"), show_home)
