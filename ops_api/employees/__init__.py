"""The people: who works here, in which role, and since when."""
