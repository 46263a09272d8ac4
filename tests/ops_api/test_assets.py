"""Style sheets and scripts: packed, kept for a year, and what their makers made."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest
from flask import Flask

from tests.ops_api.http import nobody
from tests.tidy.tree import ROOT

SUM = re.compile(r"^\| `(?P<name>[\w.]+)` \|.*`(?P<sum>[0-9a-f]{64})` \|$", re.MULTILINE)


def style_address(app: Flask) -> str:
    """Where the login page has its own style sheet from."""
    found = re.search(r'href="([^"]+/ates\.css)"', nobody(app).page("/login").text)
    assert found is not None
    return found[1]


def test_an_asset_is_kept_for_a_year_under_an_address_that_changes_with_it(app: Flask) -> None:
    address = style_address(app)

    new = nobody(app).get(address)
    old = nobody(app).get(re.sub("/static/[0-9a-f]+/", "/static/000000000000/", address))

    assert new.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert old.headers["Cache-Control"] == "no-store"
    assert new.data == old.data == (ROOT / "ops_api/static/ates.css").read_bytes()


def test_an_asset_travels_packed_to_those_who_can_unpack(app: Flask) -> None:
    address = style_address(app)
    plain = nobody(app).get(address)
    packed = nobody(app).get(address, **{"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data)


def test_a_page_travels_packed_in_a_length_that_tells_nothing(app: Flask) -> None:
    client = nobody(app)
    headers = {"Accept": "text/html", "Accept-Encoding": "gzip"}
    packed = [client.get("/login", **headers) for _ in range(20)]

    plain = client.page("/login")

    assert "Content-Encoding" not in plain.headers
    assert {page.headers["Content-Encoding"] for page in packed} == {"gzip"}
    assert {gzip.decompress(page.data) for page in packed} == {plain.data}
    assert len({len(page.data) for page in packed}) > 5
    assert all(len(page.data) < len(plain.data) / 2 for page in packed)


@pytest.mark.parametrize("name", ["none.css", "../app.py", "..%2fapp.py", "vendor/README.md", ""])
def test_nothing_else_is_served(app: Flask, name: str) -> None:
    assert nobody(app).get(f"/static/x/{name}").status_code == 404


@pytest.mark.parametrize("folder", ["ops_api/static/vendor", "tests/vendor"])
def test_vendored_files_are_those_of_the_list(folder: str) -> None:
    listed = dict(SUM.findall((ROOT / folder / "README.md").read_text("utf-8")))
    present = {
        path.name: _sum(path)
        for path in (ROOT / folder).iterdir()
        if path.is_file() and path.suffix != ".md"
    }

    assert listed == present


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
