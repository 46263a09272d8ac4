"""Tasks: created, assigned at random, reassigned, completed."""
