"""Telling somebody when something is wrong."""
