"""Streamlit: what everybody's account holds and what management reads in the morning.

Figures come from `warehouse`, rights from the tracker; nothing is joined or summed here. Start with
`app.py`, then `frame.py` (what every page has around it) and `views/company.py` (one page).
"""
