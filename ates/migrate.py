"""Bring every schema up to date, the tracker's tables and the lake's, and say who may read them.

Safe to run at any time.
"""

import os

from ates import settings
from ates.grants import grant_reads


def main() -> None:
    """Migrate what the environment names."""
    environment = settings.load().environment()
    os.environ.update(environment)
    from contracts.environment import read_environment
    from ops_api.database import migrate
    from warehouse.lake import connect, create_tables
    from warehouse.settings import LakeSettings

    migrate(environment["DATABASE_URL"])
    with connect(read_environment(LakeSettings)) as lake:
        create_tables(lake)
    grant_reads(environment)


if __name__ == "__main__":
    main()
