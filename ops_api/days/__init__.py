"""Business days: which date a fact counts for, and closing a day for good."""
