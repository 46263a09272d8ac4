"""A real SMTP server for tests that keeps every mail and fails on demand at each verb."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

Answer = str | None
# Called with the verb and how often it was seen; says what to answer, "drop" to hang up, or None.
Fault = Callable[[str, int], Answer]


@dataclass
class SmtpSink:
    """Keeps mails in `mails`; `fault` may refuse, drop or (by sleeping) delay any verb.

    Verbs: HELO, MAIL, RCPT, DATA (before the mail is kept), KEPT (after, before the 250).
    """

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    count_connections: int = 0
    fault: Fault = lambda _verb, _count: None
    _seen: Counter[str] = field(default_factory=Counter)
    _controller: Controller | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """What SMTP_URL must hold to reach this server."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def message_ids(self) -> list[str]:
        """The Message-ID of every mail kept, in order of arrival."""
        return [str(mail["Message-ID"]) for mail in self.mails]

    def start(self) -> None:
        """Listen; the port stays the same over stops and starts."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening; does nothing when it did not listen."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def _fail(self, server: SMTP, verb: str) -> Answer:
        self._seen[verb] += 1
        answer = await asyncio.to_thread(self.fault, verb, self._seen[verb])
        if answer == "drop":
            server.transport.abort()
            return "421 never seen"
        return answer

    async def handle_EHLO(  # noqa: N802 - the names are aiosmtpd's
        self, server: SMTP, session: Session, _envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        self.count_connections += 1
        session.host_name = name
        answer = await self._fail(server, "HELO")
        return [answer] if answer else answers

    async def handle_HELO(  # noqa: N802
        self, server: SMTP, session: Session, _envelope: Envelope, name: str
    ) -> str:
        session.host_name = name
        return await self._fail(server, "HELO") or f"250 {server.hostname}"

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if answer := await self._fail(server, "MAIL"):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if answer := await self._fail(server, "RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if answer := await self._fail(server, "DATA"):
            return answer
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=default)
        with self._lock:
            self.mails.append(mail)
        return await self._fail(server, "KEPT") or "250 OK"
