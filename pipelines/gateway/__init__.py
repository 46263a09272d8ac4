"""The gate before Dagster's pages: the platform's sign-in, and who may do what behind it.

Dagster's web server asks nobody for a password, so it listens on loopback alone and everything that
reaches it has passed here: who it is, with what right, and from which page.
"""
