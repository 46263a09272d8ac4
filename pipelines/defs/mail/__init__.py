"""Telling employees of their payouts."""
