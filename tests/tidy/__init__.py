"""Style as ordinary tests: what a reviewer would have to say is said here, by name and line."""
