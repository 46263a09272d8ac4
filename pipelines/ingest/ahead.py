"""The next batch is fetched while SQL works on this one."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol

import pyarrow as pa

from warehouse.state import IngestState, Partition

# What came while nobody looked is there at once.
FIRST_LINGER_SECONDS = 0.05


class Source(Protocol):
    """What the loop needs of a transport; see `kafka_source.KafkaSource`."""

    rewound: list[Partition]

    def seek(self, next_offsets: Mapping[Partition, int]) -> None:
        """Go on at these offsets."""

    def poll(self, linger_seconds: float) -> pa.Table | None:
        """Records, or None when none came within the time."""

    def end_offsets(self) -> dict[Partition, int]:
        """Where each partition ends now; empty while nobody answers."""


class Ahead:
    """Fetches the next batch on a thread of its own; the source is only ever used there."""

    def __init__(self, source: Source, pool: ThreadPoolExecutor, linger_seconds: float) -> None:
        """Fetch nothing yet: `seek` comes first."""
        self._source = source
        self._pool = pool
        self._linger_seconds = linger_seconds
        self._next: Future[tuple[pa.Table | None, list[Partition]]] | None = None

    def seek(self, state: IngestState) -> None:
        """Forget what was fetched and go on where the lake is."""
        if self._next is not None:
            self._next.result()
        self._pool.submit(self._source.seek, state.next_offsets).result()
        linger_seconds = min(FIRST_LINGER_SECONDS, self._linger_seconds)
        self._next = self._pool.submit(self._poll, linger_seconds)

    @property
    def has_next(self) -> bool:
        """Whether a batch has been fetched or is being fetched."""
        return self._next is not None

    def take(self, *, goes_on: bool) -> tuple[pa.Table | None, list[Partition]]:
        """The batch fetched meanwhile, and the partitions found rewound; may start on the next."""
        assert self._next is not None, "seek comes first"
        batch = self._next.result()
        self._next = self._pool.submit(self._poll, self._linger_seconds) if goes_on else None
        return batch

    def forget(self) -> None:
        """Drop what was fetched."""
        self._next = None

    def end_offsets(self) -> dict[Partition, int]:
        """Where each partition ends."""
        return self._pool.submit(self._source.end_offsets).result()

    def _poll(self, linger_seconds: float) -> tuple[pa.Table | None, list[Partition]]:
        records = self._source.poll(linger_seconds)
        return records, list(self._source.rewound)


@contextmanager
def fetching_ahead(source: Source, linger_seconds: float) -> Iterator[Ahead]:
    """A thread that fetches, for as long as the block runs."""
    with ThreadPoolExecutor(1, thread_name_prefix="ingest-fetch") as pool:
        yield Ahead(source, pool, linger_seconds)
