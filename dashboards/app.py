"""The dashboards: `streamlit run dashboards/app.py`. Which pages there are, and nothing else.

Home is the default page because Streamlit serves its default page under `/` alone. The folder is
called `views` because Streamlit would run files of a folder `pages` by themselves, past this one.
"""

from pathlib import Path

import streamlit as st

from dashboards.settings import check_options

FOLDER = Path(__file__).parent

check_options()
# A local picture: an icon by name would make the browser ask a public host.
st.set_page_config(
    page_title="UberPopug", page_icon=str(FOLDER / "images" / "favicon.png"), layout="wide"
)
st.navigation(
    [
        st.Page(FOLDER / "views" / "home.py", title="Home", default=True),
        st.Page(FOLDER / "views" / "company.py", title="Company", url_path="company"),
    ]
).run()
