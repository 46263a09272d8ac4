"""What the tracker wrote to somebody, and the link in it."""

import re

import msgspec
from flask import Flask

from contracts.letters import Letter
from tests.ops_api.conftest import World
from tests.ops_api.http import nobody, slug

PASSWORD = "nine lives of a purple kettle"
REDEEM = "/api/v1/sign-in-links/redeem"


def letter(world: World) -> Letter:
    """The only letter that waits."""
    return msgspec.json.decode(str(world.one("select letter from sign_in_links")), type=Letter)


def token_in(found: Letter) -> str:
    (token,) = set(re.findall(r"http://localhost/set-password\?token=([\w-]{43})\b", found.text))
    assert found.html.count(token) == 2
    return token


def refusal(app: Flask, token: str, password: str = PASSWORD) -> str:
    """Why a link cannot be used."""
    answer = nobody(app).send(REDEEM, {"token": token, "new_password": password}, key="")
    return slug(answer)
