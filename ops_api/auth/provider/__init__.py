"""The OpenID provider: one sign-in for the tracker, the dashboards and Dagster.

Authorization code with PKCE S256 and nonce for people, client credentials for services, nothing
else. Tokens are opaque and live in the database: one that belongs to a session dies with it.
"""
