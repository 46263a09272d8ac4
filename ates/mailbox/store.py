"""Messages in one SQLite file, and each beside it as an .eml file for people and their tools.

Invariant: when `keep` returns, the messages are on the disk: SQLite syncs once for the whole batch.
An .eml file that a power cut took is written again when the store is opened.
"""

import contextlib
import datetime as dt
import email
import email.errors
import email.header
import email.parser
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

PAGE_ROWS = 50
HEADER_LENGTH_MAX = 500
BUSY_SECONDS_MAX = 10.0
# What the standard library raises on headers that are not what they should be.
BAD_HEADER = (email.errors.MessageError, LookupError, ValueError)
# The whole parser would look for the parts of a multipart mail, by a pattern compiled for each.
HEADERS = email.parser.BytesHeaderParser()
TABLE = """
create table if not exists messages (
    number integer primary key,
    file text not null unique,
    received_at text not null,
    sender text not null,
    recipients text not null,
    subject text not null,
    message_id text not null,
    bytes integer not null,
    content blob not null
) strict
"""
COLUMNS = "number, file, received_at, sender, recipients, subject, message_id, bytes"


class Message(msgspec.Struct, frozen=True):
    """A message as it came in: the envelope and the raw bytes."""

    sender: str
    recipients: list[str]
    content: bytes
    received_at: dt.datetime


class Row(msgspec.Struct, frozen=True):
    """A line of the list. `message_id` is the same when a sender repeated itself."""

    number: int
    file: str
    received_at: str
    sender: str
    recipients: str
    subject: str
    message_id: str
    bytes: int


class Store:
    """The messages of one folder; one process keeps, any number of threads read."""

    def __init__(self, folder: Path) -> None:
        """Open or create it, and write the files that are missing."""
        self._files = folder / "messages"
        self._files.mkdir(parents=True, exist_ok=True)
        self._path = folder / "messages.sqlite"
        # Stays open: the last one to close would fold the log into the file each time.
        self._writer = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS_MAX, check_same_thread=False
        )
        self._writing = threading.Lock()
        self._writer.execute("pragma journal_mode = wal")
        self._writer.execute("pragma synchronous = full")
        self._writer.execute(TABLE)
        self._restore_files()

    def keep(self, messages: Sequence[Message]) -> None:
        """Keep all of them durably; the caller may promise delivery afterwards."""
        rows = [_row(message) for message in messages]
        marks = ", ".join("?" * len(rows[0]))
        columns = f"{COLUMNS}, content".removeprefix("number, ")
        statement = f"insert into messages ({columns}) values ({marks})"  # noqa: S608 - all ours
        with self._writing, self._writer:
            self._writer.executemany(statement, rows)
        for name, *_, content in rows:
            (self._files / str(name)).write_bytes(content)

    def page(self, recipient: str = "", page: int = 1) -> list[Row]:
        """Newest first; `recipient` is a part of an address, `page` counts from 1."""
        assert page >= 1, page
        query = f"""
            select {COLUMNS} from messages where recipients like ? escape '!'
            order by number desc limit ? offset ?
        """  # noqa: S608 - COLUMNS is ours
        values = (_pattern(recipient), PAGE_ROWS, (page - 1) * PAGE_ROWS)
        with self._reader() as connection:
            return [Row(*row) for row in connection.execute(query, values)]

    def count(self, recipient: str = "") -> tuple[int, int]:
        """How many messages, and how many different Message-IDs among them."""
        query = """
            select count(*), count(distinct message_id) from messages
            where recipients like ? escape '!'
        """
        with self._reader() as connection:
            count, distinct = connection.execute(query, (_pattern(recipient),)).fetchone()
        return count, distinct

    def row(self, number: int) -> Row | None:
        """One line of the list."""
        query = f"select {COLUMNS} from messages where number = ?"  # noqa: S608 - COLUMNS is ours
        with self._reader() as connection:
            row = connection.execute(query, (number,)).fetchone()
        return None if row is None else Row(*row)

    def content(self, row: Row) -> bytes:
        """The whole message."""
        with self._reader() as connection:
            query = "select content from messages where number = ?"
            content: bytes = connection.execute(query, (row.number,)).fetchone()[0]
        return content

    def close(self) -> None:
        """Let go of the file."""
        self._writer.close()

    def _restore_files(self) -> None:
        there = {entry.name: entry.stat().st_size for entry in os.scandir(self._files)}
        sizes = self._writer.execute("select file, bytes from messages").fetchall()
        for name in (name for name, size in sizes if there.get(name) != size):
            query = "select content from messages where file = ?"
            content = self._writer.execute(query, (name,)).fetchone()[0]
            (self._files / name).write_bytes(content)

    @contextlib.contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS_MAX)
        try:
            yield connection
        finally:
            connection.close()


def _row(message: Message) -> tuple[Any, ...]:
    """The columns but `number`. The envelope goes in front of the content as two usual headers."""
    lines = [f"Return-Path: <{message.sender}>"]
    lines += [f"Delivered-To: {recipient}" for recipient in message.recipients]
    content = "".join(f"{line}\r\n" for line in lines).encode("utf-8") + message.content
    block = content.partition(b"\r\n\r\n")[0]
    headers = HEADERS.parsebytes(block)
    return (
        f"{message.received_at:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}.eml",
        message.received_at.isoformat(timespec="seconds"),
        readable(headers.get("From", "")),
        ", ".join(message.recipients),
        readable(headers.get("Subject", "")),
        str(headers.get("Message-ID", "")).strip()[:HEADER_LENGTH_MAX],
        len(content),
        content,
    )


def readable(header: object) -> str:
    """A header as a person reads it; one that cannot be decoded stays as it is."""
    text = str(header)
    if "=?" not in text and text.isascii():
        return " ".join(text.split())[:HEADER_LENGTH_MAX]
    try:
        text = str(email.header.make_header(email.header.decode_header(text)))
    except BAD_HEADER:
        text = text.encode("ascii", "replace").decode()
    return " ".join(text.split())[:HEADER_LENGTH_MAX]


def _pattern(part: str) -> str:
    escaped = part.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
