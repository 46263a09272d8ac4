"""Paying every positive balance at the end of a business day."""
