"""Real event logs: a service desk's export becomes tasks, events and closed days.

`mapping.py` says which column is what, `reader.py` turns a file into rows, `rules.py` turns rows
into facts (pure), `plan.py` puts both together, `commands.py` writes the facts in bulk.
"""
