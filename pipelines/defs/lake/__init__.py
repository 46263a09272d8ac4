"""The tables and views of the lake."""
