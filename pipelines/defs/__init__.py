"""What Dagster shows and runs, one folder per subject."""
