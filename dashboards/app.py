"""The dashboards' script, run by Streamlit for every visit. Which pages there are, and no more.

The folder is called `views` because Streamlit would run files of a folder `pages` by themselves,
past this one.
"""

from pathlib import Path

import streamlit as st

from dashboards.frame import require_viewer, show_who_is_here
from dashboards.navigation import pages_for

viewer = require_viewer()
# A local picture: an icon by name would make the browser ask a public host.
st.set_page_config(
    page_title="UberPopug",
    page_icon=str(Path(__file__).parent / "images" / "favicon.png"),
    layout="wide",
)
page = st.navigation(pages_for(viewer.role))
show_who_is_here(viewer)
page.run()
