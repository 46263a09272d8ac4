"""The tracker against real PostgreSQL."""
