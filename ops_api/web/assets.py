"""Style sheets, scripts and images: read once, packed once, and kept by browsers for a year.

All of them live under one address that changes when any of them does, so that modules may import
each other by relative names and a new version never meets an old one.
"""

import functools
import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Flask, Response, current_app, request

from ops_api.errors import NotFoundError
from ops_api.web.rights import allow

FOLDER = Path(__file__).parents[1] / "static"
KEPT_SECONDS = 365 * 24 * 3600
VERSION_LENGTH = 12
EXTENSION = "assets"
NOT_SERVED = frozenset({".md"})

blueprint = Blueprint("assets", __name__)


@dataclass(frozen=True)
class Asset:
    """A file's bytes, plain and packed by gzip, with its media type."""

    body: bytes
    packed: bytes
    mimetype: str


@dataclass(frozen=True)
class Assets:
    """Every file under `static/` by its path there, and the version they make together."""

    version: str
    files: dict[str, Asset]

    def url(self, name: str) -> str:
        """The address of a file; a name that does not exist is a mistake of ours."""
        assert name in self.files, f"there is no static/{name}"
        return f"/static/{self.version}/{name}"


def install(app: Flask) -> None:
    """Read all files, and let templates write `asset("ates.css")`."""
    assets = _read(FOLDER)
    app.extensions[EXTENSION] = assets
    app.jinja_env.globals["asset"] = assets.url


@blueprint.get("/static/<version>/<path:name>")
@allow("anyone")
def get_asset(version: str, name: str) -> Response:
    """A file; one asked for under an older version is sent as it is now, and not kept."""
    assets: Assets = current_app.extensions[EXTENSION]
    asset = assets.files.get(name)
    if asset is None:
        raise NotFoundError("no-such-file", "There is nothing at this address.")
    is_packed = request.accept_encodings["gzip"] > 0 and len(asset.packed) < len(asset.body)
    response = Response(asset.packed if is_packed else asset.body, mimetype=asset.mimetype)
    response.headers["Vary"] = "Accept-Encoding"
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    if version == assets.version:
        response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}, immutable"
    return response


@functools.cache
def _read(folder: Path) -> Assets:
    paths = [each for each in sorted(folder.rglob("*")) if each.is_file()]
    bodies = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in paths
        if path.suffix not in NOT_SERVED
    }
    digest = hashlib.sha256()
    for name, body in bodies.items():
        digest.update(f"{name} {len(body)} ".encode() + body)
    files = {
        name: Asset(body, gzip.compress(body, mtime=0), _mimetype(name))
        for name, body in bodies.items()
    }
    return Assets(digest.hexdigest()[:VERSION_LENGTH], files)


def _mimetype(name: str) -> str:
    if name.endswith(".js"):
        return "text/javascript"  # some systems' tables say otherwise, and browsers then refuse
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
