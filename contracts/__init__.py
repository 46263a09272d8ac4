"""What crosses a boundary: event types, their envelope, their versions and the settings' names.

Nothing here imports another package of ours. Start with `events.py`, then `envelope.py`.
"""
