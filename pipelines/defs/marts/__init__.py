"""Views for analysts."""
