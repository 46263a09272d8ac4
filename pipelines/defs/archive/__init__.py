"""The standing proof that the event log alone gives the same lake."""
