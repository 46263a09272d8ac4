"""Payout mails: one delivery row per payout, sent until the mail server has taken it."""
