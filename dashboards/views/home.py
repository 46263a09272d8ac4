"""The first page: who you are here, and where to go."""

import streamlit as st

from dashboards.frame import plain, require_viewer, role_name
from dashboards.languages import _
from dashboards.navigation import PAGES

viewer = require_viewer()
st.title(_("UberPopug dashboards"))
if unknown := st.query_params.get("unknown"):
    st.info(_("There is no page “{name}” here.").format(name=plain(unknown[:80])))
st.write(
    _("Welcome, {name}. You are signed in as {role}.").format(
        name=plain(viewer.name), role=role_name(viewer.role)
    )
)
for page in PAGES:
    if viewer.role in page.roles:
        st.page_link(page.file, label=_(page.title), icon=page.icon)
