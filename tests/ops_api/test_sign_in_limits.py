"""Guessing passwords takes ever longer, and locks nobody out."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from ops_api.auth.limits import FORGOTTEN_AFTER, PASSWORDS, count_try
from ops_api.auth.passwords import hash_password
from ops_api.errors import TooManyTriesError
from tests.ops_api.conftest import World
from tests.ops_api.http import nobody, slug

PASSWORD = "correct horse battery"


def sign_in(app: Flask, email: str, password: str, address: str = "10.0.0.1") -> TestResponse:
    client = nobody(app)
    client.http.environ_base["REMOTE_ADDR"] = address
    return client.send("/api/v1/session", {"email": email, "password": password}, key="")


@pytest.mark.parametrize("is_known", [True, False])
def test_a_guesser_waits_and_the_owner_elsewhere_does_not(
    app: Flask, world: World, is_known: bool
) -> None:
    owner = world.employee(password_hash=hash_password(PASSWORD))
    email = owner.email if is_known else "nobody@example.com"
    for _ in range(PASSWORDS.free_tries_of_pair + 1):
        assert slug(sign_in(app, email, "wrong")) == "wrong-credentials"

    refused = sign_in(app, email.upper(), PASSWORD)
    assert slug(refused) == "too-many-tries"
    assert refused.headers["Retry-After"] == "1"
    assert sign_in(app, owner.email, PASSWORD, "10.0.0.2").status_code == 201
    world.clock.forward(seconds=2)
    assert slug(sign_in(app, email, "wrong")) == "wrong-credentials"
    world.clock.forward(seconds=2)
    assert slug(sign_in(app, email, "wrong")) == "too-many-tries"


def attempt(world: World, email: str, address: str) -> bool:
    try:
        with world.engine.begin() as connection:
            count_try(connection, PASSWORDS, email=email, address=address, now=world.clock())
    except TooManyTriesError:
        return False
    return True


def test_a_burst_gets_no_further_than_one_after_the_other(world: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        passed = list(pool.map(lambda _: attempt(world, "a@b.c", "10.0.0.1"), range(30)))

    assert sum(passed) == PASSWORDS.free_tries_of_pair + 1


def test_of_two_at_the_same_instant_the_one_that_is_counted_second_need_not_wait(
    world: World,
) -> None:
    assert attempt(world, "a@b.c", "10.0.0.1")
    world.clock.forward(seconds=-1)  # began before the first was counted

    assert attempt(world, "b@b.c", "10.0.0.1")


def test_one_address_may_not_try_everybody(world: World) -> None:
    free = PASSWORDS.free_tries_of_address
    passed = [attempt(world, f"{n}@b.c", "10.0.0.1") for n in range(free + 9)]

    assert sum(passed) == free + 1
    world.clock.now += FORGOTTEN_AFTER * 2
    assert all(attempt(world, f"{n}@b.c", "10.0.0.1") for n in range(5))
    assert world.one("select count(*) from sign_in_tries") == 6
