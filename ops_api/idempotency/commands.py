"""Answering a request once: its answer is stored in the transaction that carries it out.

The key is written last, together with the commit. Of two identical requests both may work, but the
second finds the key's row (it waits there while the first commits), is rolled back and gives the
first one's answer. So does one whose connection was lost while it committed.
Costly work looks for the key before it begins; cheap work does not, for repetitions are rare.
What work has planned and not yet written is written together with the key.
A refusal changes nothing, so it is stored in a transaction of its own after the refused one.
"""

import datetime as dt
from collections.abc import Callable

import msgspec
import psycopg2
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from ops_api.errors import RuleViolation, UnacceptableError
from ops_api.planning import Planned
from ops_api.prepared import Prepared
from ops_api.unit_of_work import in_transaction
from ops_api.web.problems import problem_of

KEPT = dt.timedelta(hours=48)
PURGED_AT_ONCE_MAX = 1000
PURGE_ONE_IN = 64
ATTEMPTS_MAX = 3

_KEY = "idempotency_keys_pkey"
_FIND = text("""
select request_hash, status, body from idempotency_keys where actor = :actor and key = :key
""")
_STORE = Prepared(
    "store_answer",
    """
insert into idempotency_keys (actor, key, request_hash, status, body, created_at)
values (:key_actor, :key, :request_hash, :answer_status, :answer_body, :received_at)
""",
)
_PURGE = text("""
delete from idempotency_keys where (actor, key) in (
    select actor, key from idempotency_keys where created_at < :before
    order by created_at limit :limit for update skip locked
)
""")


class KeyedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is to be carried out once; `request_hash` covers method, path and body."""

    actor: str
    key: str
    request_hash: bytes
    received_at: dt.datetime


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Status and JSON body; a status of 400 or more comes with a problem."""

    status: int
    body: str
    is_replay: bool = False


class KeyReusedError(UnacceptableError):
    """The key belongs to another request; never stored as an answer."""

    def __init__(self) -> None:
        super().__init__(
            "idempotency-key-reused", "This Idempotency-Key was used for another request."
        )


class _RivalAnsweredError(Exception):
    """The same request has been answered at the same time; ours must not count."""


Work = Callable[[Connection], Answer | Planned[Answer]]


def answer_once(
    engine: Engine, request: KeyedRequest, work: Work, *, is_cheap: bool = False
) -> Answer:
    """Carry a request out, or give the answer it got before.

    Cheap work is begun without looking whether it was done before. Raises KeyReusedError, and
    whatever `work` raises except a RuleViolation: that is an answer.
    """
    for attempt in range(ATTEMPTS_MAX):
        try:
            return _answer(engine, request, work, look_first=attempt > 0 or not is_cheap)
        except _RivalAnsweredError:
            continue
    raise AssertionError("a stored answer is found by the next attempt")


def stored_answer(engine: Engine, request: KeyedRequest) -> Answer | None:
    """The answer a request got before; raises KeyReusedError."""
    return in_transaction(engine, lambda connection: _find(connection, request))


def _answer(engine: Engine, request: KeyedRequest, work: Work, *, look_first: bool) -> Answer:
    step = _find_or_do if look_first else _do
    try:
        return in_transaction(engine, lambda connection: step(connection, request, work))
    except KeyReusedError:
        raise
    except RuleViolation as refusal:
        found = problem_of(refusal)
        answer = Answer(status=found.status, body=msgspec.json.encode(found).decode())
        return in_transaction(
            engine, lambda connection: _find_or_do(connection, request, lambda _: answer)
        )


def _find_or_do(connection: Connection, request: KeyedRequest, work: Work) -> Answer:
    return _find(connection, request) or _do(connection, request, work)


def _do(connection: Connection, request: KeyedRequest, work: Work) -> Answer:
    done = work(connection)
    return _store(connection, request, done if isinstance(done, Planned) else Planned(done))


def _find(connection: Connection, request: KeyedRequest) -> Answer | None:
    row = connection.execute(_FIND, {"actor": request.actor, "key": request.key}).one_or_none()
    if row is None:
        return None
    if bytes(row.request_hash) != request.request_hash:
        raise KeyReusedError
    return Answer(status=row.status, body=row.body, is_replay=True)


def _store(connection: Connection, request: KeyedRequest, planned: Planned[Answer]) -> Answer:
    """The last statement of all: with the key everything is committed."""
    if request.request_hash[0] % PURGE_ONE_IN == 0:
        limits = {"before": request.received_at - KEPT, "limit": PURGED_AT_ONCE_MAX}
        connection.execute(_PURGE, limits)
    answer = planned.result
    values = {
        "key_actor": request.actor,
        "key": request.key,
        "request_hash": request.request_hash,
        "answer_status": answer.status,
        "answer_body": answer.body,
        "received_at": request.received_at,
    }
    try:
        return planned.commit_with(connection, _STORE, values)
    except IntegrityError as error:
        if not _is_key_taken(error):
            raise
        raise _RivalAnsweredError from error


def _is_key_taken(error: IntegrityError) -> bool:
    return isinstance(error.orig, psycopg2.Error) and error.orig.diag.constraint_name == _KEY
