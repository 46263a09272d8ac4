"""One SMTP connection that is opened when first needed and says what kind of failure it met.

Three outcomes decide what happens to a mail: taken by the server (no exception), RefusedError
(waiting will not help, a person may) and TemporaryError (try again later).
"""

import smtplib
import ssl
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

# Each step of the dialogue (connect, greeting, every command and answer) ends by itself.
STEP_TIMEOUT_SECONDS = 10.0
# A connection is given up after this many messages: servers limit them, and leaks stay small.
MESSAGES_PER_CONNECTION_MAX = 500
ERROR_LENGTH_MAX = 500
DEFAULT_PORTS = {"smtp": 25, "smtps": 465}
PERMANENT_CODE_FIRST = 500
SERVICE_CLOSING_CODE = 421


class TemporaryError(Exception):
    """The server could not be reached or said "later"; `is_connection_lost` tells which."""

    def __init__(self, reason: str, *, is_connection_lost: bool) -> None:
        super().__init__(reason[:ERROR_LENGTH_MAX])
        self.is_connection_lost = is_connection_lost


class RefusedError(Exception):
    """The server will never take this mail as it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason[:ERROR_LENGTH_MAX])


class SmtpServer(msgspec.Struct, frozen=True):
    """Where mail goes, from SMTP_URL."""

    host: str
    port: int
    is_tls: bool
    is_starttls: bool
    username: str | None
    password: str | None

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read `smtp://user:password@host:port`, `smtps://...` or `smtp://...?starttls=1`."""
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError("SMTP_URL must look like smtp://host:port or smtps://host:port")
        return cls(
            host=parts.hostname,
            port=parts.port or DEFAULT_PORTS[parts.scheme],
            is_tls=parts.scheme == "smtps",
            is_starttls=parse_qs(parts.query).get("starttls", ["0"])[-1] in {"1", "true"},
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class SmtpSession:
    """Sends many mails over one connection; connects again when that was lost."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._client: smtplib.SMTP | None = None
        self._count_sent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._say_goodbye()

    def send(self, message: EmailMessage) -> None:
        """Return when the server has answered 250; else RefusedError or TemporaryError.

        A TemporaryError after the final dot leaves open whether the server has the mail.
        """
        if self._count_sent >= MESSAGES_PER_CONNECTION_MAX:
            self._say_goodbye()
        client = self._connected()
        try:
            client.send_message(
                message, _sole_address(message["From"]), _sole_address(message["To"])
            )
        except smtplib.SMTPRecipientsRefused as error:
            (answer,) = error.recipients.values()
            self._raise_answer(*answer)
        except smtplib.SMTPResponseException as error:
            self._raise_answer(error.smtp_code, error.smtp_error)
        except smtplib.SMTPNotSupportedError as error:
            raise RefusedError(str(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise TemporaryError(_words(error), is_connection_lost=True) from error
        self._count_sent += 1

    def _connected(self) -> smtplib.SMTP:
        if self._client is None:
            try:
                self._client = _connect(self._server)
            except (OSError, smtplib.SMTPException) as error:
                raise TemporaryError(_words(error), is_connection_lost=True) from error
            self._count_sent = 0
        return self._client

    def _raise_answer(self, code: int, answer: bytes | str) -> None:
        words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        reason = f"{code} {words}"
        if code >= PERMANENT_CODE_FIRST:
            raise RefusedError(reason)
        if code == SERVICE_CLOSING_CODE or code < 0:
            self._drop()
            raise TemporaryError(reason, is_connection_lost=True)
        raise TemporaryError(reason, is_connection_lost=False)

    def _say_goodbye(self) -> None:
        if self._client is not None:
            try:
                self._client.quit()
            except (OSError, smtplib.SMTPException):
                self._drop()  # every mail has had its answer already; nothing is lost here
            self._client = None

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _connect(server: SmtpServer) -> smtplib.SMTP:
    """Connect and sign in; raises OSError or SMTPException."""
    context = ssl.create_default_context() if server.is_tls or server.is_starttls else None
    client: smtplib.SMTP
    if server.is_tls:
        client = smtplib.SMTP_SSL(
            server.host, server.port, timeout=STEP_TIMEOUT_SECONDS, context=context
        )
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=STEP_TIMEOUT_SECONDS)
    try:
        if server.is_starttls:
            client.starttls(context=context)
        if server.username is not None:
            client.login(server.username, server.password or "")
    except (OSError, smtplib.SMTPException):
        client.close()
        raise
    return client


def _sole_address(header: AddressHeader) -> str:
    (address,) = header.addresses
    return str(address.addr_spec)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
