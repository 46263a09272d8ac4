"""The first page: who you are here, and where to go."""

import streamlit as st

from dashboards.access import require_viewer

st.title("UberPopug dashboards")
viewer = require_viewer()
st.write(f"Welcome, {viewer.name}. You are signed in as {viewer.role}.")
if viewer.may_see_company:
    st.page_link("views/company.py", label="Company: earnings, balances and payouts")
else:
    st.write("The company's totals are for accountants and admins.")
