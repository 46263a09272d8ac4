"""Streamlit: what management reads in the morning. Figures come from `warehouse`, rights from
the tracker; nothing is joined or summed here. Start with `app.py`, then `views/company.py`.
"""
