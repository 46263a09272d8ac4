"""Bring every schema up to date: the tracker's tables and the lake's. Safe to run at any time."""

import os

from ates import settings


def main() -> None:
    """Migrate what the environment names."""
    environment = settings.load().environment()
    os.environ.update(environment)
    from ops_api.database import migrate

    migrate(environment["DATABASE_URL"])


if __name__ == "__main__":
    main()
