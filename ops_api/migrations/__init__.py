"""The database's schema, step by step; `ops_api.database.migrate` runs them."""
