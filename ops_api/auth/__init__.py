"""Who is calling: passwords, server-side sessions, the OpenID provider."""
