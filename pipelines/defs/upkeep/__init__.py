"""Keeping the lake quick and Dagster's own tables small."""
