"""Who is calling: passwords, server-side sessions, the service token."""
