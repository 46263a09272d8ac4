"""Where the lake is: what this package reads from the environment."""

import msgspec


class LakeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The catalog and the data files of one lake.

    `lake_catalog_url` is `postgresql+psycopg2://user:password@host:port/database` (a socket folder
    may stand in `?host=`), or `duckdb:///path/to/file` for a lake of one process.
    `lake_data_path` is a local folder or an `s3://bucket/prefix` address; the `aws_*` values are
    needed for the latter only.
    """

    lake_catalog_url: str
    lake_data_path: str
    aws_access_key_id: str = ""
    aws_secret_access_key: str = ""
    aws_region: str = ""
    aws_endpoint_url: str = ""
