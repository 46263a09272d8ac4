"""What must hold, on the asset it concerns."""
