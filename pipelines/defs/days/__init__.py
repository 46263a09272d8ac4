"""Closing business days on time."""
