"""The same request twice is one deed and one answer."""

import datetime as dt
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from sqlalchemy import Connection, text

from ops_api.driver import Cursor
from ops_api.errors import ConflictError
from ops_api.idempotency.commands import (
    KEPT,
    Answer,
    KeyedRequest,
    KeyReusedError,
    answer_once,
    stored_answer,
)
from tests.ops_api.conftest import MONDAY_NOON, World


def request(key: str = "k", *, body: str = "", actor: str = "a") -> KeyedRequest:
    digest = hashlib.sha256(body.encode()).digest()
    return KeyedRequest(actor=actor, key=key, request_hash=digest, received_at=MONDAY_NOON)


class Deed:
    """Work that leaves one trace in the database each time it counts."""

    def __init__(self, *, pause_seconds: float = 0, refuse: bool = False) -> None:
        self.pause_seconds = pause_seconds
        self.refuse = refuse
        self.count_runs = 0

    def __call__(self, connection: Connection) -> Answer:
        self.count_runs += 1
        connection.execute(text("update log_head set last_position = last_position + 1"))
        time.sleep(self.pause_seconds)
        if self.refuse:
            raise ConflictError("no", f"Refused in run {self.count_runs}.")
        return Answer(status=201, body=f'{{"run":{self.count_runs}}}')


def count_deeds(world: World) -> object:
    return world.one("select last_position from log_head")


def test_a_repetition_gets_the_stored_answer(world: World) -> None:
    deed = Deed()

    first = answer_once(world.engine, request(), deed)
    second = answer_once(world.engine, request(), deed)

    assert deed.count_runs == 1
    assert (first.status, first.body, first.is_replay) == (201, '{"run":1}', False)
    assert (second.status, second.body, second.is_replay) == (201, '{"run":1}', True)
    assert count_deeds(world) == 1
    assert stored_answer(world.engine, request()) == second


def test_cheap_work_may_be_done_again_but_never_counts_again(world: World) -> None:
    deed = Deed()

    first = answer_once(world.engine, request(), deed, is_cheap=True)
    second = answer_once(world.engine, request(), deed, is_cheap=True)
    third = answer_once(world.engine, request(), Deed(refuse=True), is_cheap=True)

    assert deed.count_runs == 2
    assert first.body == second.body == third.body == '{"run":1}'
    assert count_deeds(world) == 1


def test_a_connection_lost_while_it_commits_leaves_one_deed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def lose(cursor: Cursor, query: str, values: object = None) -> None:
        execute(cursor, query, values)
        if query.endswith(";commit") and not sent:
            sent.append(query)
            cursor.connection.close()
            raise psycopg2.OperationalError("server closed the connection unexpectedly")

    execute = Cursor.execute
    monkeypatch.setattr(Cursor, "execute", lose)
    deed = Deed()

    answer = answer_once(world.engine, request(), deed, is_cheap=True)

    assert len(sent) == 1
    assert (answer.body, answer.is_replay) == ('{"run":1}', True)
    assert count_deeds(world) == 1


def test_a_refusal_is_an_answer_too_and_changes_nothing(world: World) -> None:
    first = answer_once(world.engine, request(), Deed(refuse=True))
    second = answer_once(world.engine, request(), Deed())

    assert first.status == second.status == 409
    assert first.body == second.body
    assert "Refused in run 1" in first.body
    assert count_deeds(world) == 0


@pytest.mark.parametrize("is_cheap", [False, True])
def test_a_key_is_bound_to_its_request(world: World, is_cheap: bool) -> None:
    answer_once(world.engine, request(body="one"), Deed(), is_cheap=is_cheap)

    with pytest.raises(KeyReusedError):
        answer_once(world.engine, request(body="two"), Deed(), is_cheap=is_cheap)
    with pytest.raises(KeyReusedError):
        stored_answer(world.engine, request(body="two"))

    assert count_deeds(world) == 1
    assert world.one("select count(*) from idempotency_keys") == 1


def test_a_key_is_the_actor_s_own(world: World) -> None:
    answer_once(world.engine, request(actor="a"), Deed())
    answer_once(world.engine, request(actor="b", body="other"), Deed())

    assert count_deeds(world) == 2


def test_a_failure_of_ours_stores_nothing_so_that_the_request_may_be_repeated(
    world: World,
) -> None:
    def fail(connection: Connection) -> Answer:
        connection.execute(text("update log_head set last_position = 99"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        answer_once(world.engine, request(), fail)

    assert count_deeds(world) == 0
    assert answer_once(world.engine, request(), Deed()).status == 201


@pytest.mark.parametrize("is_cheap", [False, True])
@pytest.mark.parametrize("refuse", [False, True])
def test_ten_repetitions_at_once_are_one_deed(world: World, refuse: bool, is_cheap: bool) -> None:
    deed = Deed(pause_seconds=0.02, refuse=refuse)

    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(
                lambda _: answer_once(world.engine, request(), deed, is_cheap=is_cheap), range(10)
            )
        )

    assert len({answer.body for answer in answers}) == 1
    assert sum(not answer.is_replay for answer in answers) == 1
    assert count_deeds(world) == (0 if refuse else 1)


def test_old_keys_are_purged_in_passing(world: World) -> None:
    old = text("""
        insert into idempotency_keys
        select 'a', 'old ' || n, sha256(''), 200, '{}', :created_at from generate_series(1, 50) as n
    """)
    with world.engine.begin() as connection:
        connection.execute(old, {"created_at": MONDAY_NOON - KEPT - dt.timedelta(seconds=1)})

    for number in range(400):
        answer_once(world.engine, request(f"{number}", body=f"{number}"), Deed())

    assert world.one("select count(*) from idempotency_keys where key like 'old %'") == 0
    assert world.one("select count(*) from idempotency_keys") == 400
