"""Reading quarantined records again."""
