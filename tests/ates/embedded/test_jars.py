"""A jar that is not what the lock says never reaches the broker's class path."""

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ates.embedded import jars

COORDINATE = "org.example:broker:1.0"
FILE = "org/example/broker/1.0/broker-1.0.jar"
GOOD = b"the jar that was locked"


class Remote:
    """A Maven repository on loopback that serves one jar and counts the requests."""

    def __init__(self, folder: Path) -> None:
        self.jar = folder / FILE
        self.jar.parent.mkdir(parents=True)
        self.jar.write_bytes(GOOD)
        requests: list[str] = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                requests.append(self.path)

        self.requests = requests
        handler = functools.partial(Handler, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.urls = {"local": f"http://127.0.0.1:{self.server.server_address[1]}"}


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    remote = Remote(tmp_path / "remote")
    thread = threading.Thread(target=remote.server.serve_forever)
    thread.start()
    yield remote
    remote.server.shutdown()
    thread.join()
    remote.server.server_close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "test.lock"
    path.write_text(f"# comment\n{COORDINATE} {hashlib.sha256(GOOD).hexdigest()}\n")
    return path


def test_a_missing_jar_is_fetched_once(tmp_path: Path, lock: Path, remote: Remote) -> None:
    cache = tmp_path / "cache"
    fetched = jars.class_path(lock, cache, remotes=remote.urls)
    remote.jar.unlink()

    again = jars.class_path(lock, cache, remotes=remote.urls)

    assert fetched == again == str(cache / FILE)
    assert (cache / FILE).read_bytes() == GOOD


def test_a_jar_with_another_hash_is_refused(tmp_path: Path, lock: Path, remote: Remote) -> None:
    remote.jar.write_bytes(b"something else")

    with pytest.raises(jars.JarError, match=f"{COORDINATE} has SHA-256 .* refused"):
        jars.class_path(lock, tmp_path / "cache", remotes=remote.urls)

    assert not list((tmp_path / "cache").rglob("*.jar"))


def test_a_cached_jar_that_was_changed_is_fetched_anew(
    tmp_path: Path, lock: Path, remote: Remote
) -> None:
    cached = tmp_path / "cache" / FILE
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"changed on the disk")

    jars.class_path(lock, tmp_path / "cache", remotes=remote.urls)

    assert cached.read_bytes() == GOOD


def test_a_repository_that_is_away_is_told_plainly(tmp_path: Path, lock: Path) -> None:
    nobody = {"local": "http://127.0.0.1:9"}

    with pytest.raises(jars.JarError, match=f"{COORDINATE} could not be downloaded"):
        jars.class_path(lock, tmp_path / "cache", remotes=nobody)


def test_every_locked_jar_has_a_hash_and_there_is_one_kafka_version() -> None:
    locked = jars.read_lock()

    assert all(len(jar.sha256) == 64 for jar in locked)
    kafka = {jar.version for jar in locked if jar.group == "org.apache.kafka"}
    assert kafka == {"4.4.0"}
