"""Where the figures end up: the pages people look at."""
