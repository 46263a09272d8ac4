"""Takes mail over SMTP and keeps it; answers 250 only when the message is on the disk.

Messages that arrive at the same time are kept together, so that many senders share one sync.
"""

import asyncio
import contextlib
import datetime as dt
import logging
import sqlite3
from collections.abc import AsyncIterator

from aiosmtpd.smtp import SMTP, Envelope, Session

from ates.mailbox.store import Message, Store

MESSAGE_BYTES_MAX = 10 * 1024 * 1024
BATCH_MESSAGES_MAX = 200
WAITING_MESSAGES_MAX = 1_000
IDLE_SECONDS_MAX = 60
HOSTNAME = "mailbox.example"

log = logging.getLogger(__name__)
Waiting = tuple[Message, "asyncio.Future[None]"]


class Keeper:
    """aiosmtpd's handler: queues a message and answers when its batch is kept."""

    def __init__(self, store: Store) -> None:
        """`run` must be running for messages to be answered."""
        self._store = store
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue(WAITING_MESSAGES_MAX)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """SMTP's answer to a message."""
        assert isinstance(envelope.content, bytes), "SMTP is made with decode_data=False"
        message = Message(
            sender=envelope.mail_from or "",
            recipients=list(envelope.rcpt_tos),
            content=envelope.content,
            received_at=dt.datetime.now(dt.UTC),
        )
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._queue.put((message, done))
        try:
            await done
        except (OSError, sqlite3.Error):
            log.exception("a message could not be kept")
            return "451 4.3.0 could not be stored, try again later"
        return "250 2.0.0 kept"

    async def run(self) -> None:
        """Keep queued messages, batch by batch, for ever."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH_MESSAGES_MAX and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            messages = [message for message, _ in batch]
            problem: Exception | None = None
            try:
                self._store.keep(messages)  # blocks the loop for one sync: cheaper than a thread
            except (OSError, sqlite3.Error) as error:
                problem = error
            for _, done in batch:
                _answer(done, problem)


def _answer(done: "asyncio.Future[None]", problem: Exception | None) -> None:
    if done.cancelled():  # the sender hung up meanwhile
        return
    if problem is None:
        done.set_result(None)
    else:
        done.set_exception(problem)


@contextlib.asynccontextmanager
async def serving(store: Store, port: int) -> AsyncIterator[None]:
    """Take mail on this port of loopback while the block runs."""
    keeper = Keeper(store)

    def protocol() -> SMTP:
        return SMTP(
            keeper,
            data_size_limit=MESSAGE_BYTES_MAX,
            enable_SMTPUTF8=True,
            hostname=HOSTNAME,
            timeout=IDLE_SECONDS_MAX,
        )

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", port)
    writer = asyncio.create_task(keeper.run())
    try:
        yield
    finally:
        server.close()
        writer.cancel()
