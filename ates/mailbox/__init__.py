"""A local mail server that keeps every message for reading, as files and in a browser."""
