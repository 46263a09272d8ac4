"""The whole business in one command: accounts, a real log, and what came of it."""
