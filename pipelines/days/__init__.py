"""Business days: asking the tracker to close what is over. It decides, we keep the time."""
