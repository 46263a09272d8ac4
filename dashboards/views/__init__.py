"""The pages: each file ends by drawing itself; files with a longer name are parts of a page."""
