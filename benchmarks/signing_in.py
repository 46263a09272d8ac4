"""Signing in to the dashboards without a browser: the hops that a browser would make."""

import html

import requests
import websockets.sync.client
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

ANSWER_SECONDS_MAX = 60


def way_in_of(url: str) -> str:
    """Where a page sends somebody whom it does not know."""
    with websockets.sync.client.connect(
        f"{url.replace('http', 'ws', 1)}/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]
    ) as socket:
        first = BackMsg()
        first.rerun_script.page_name = ""
        socket.send(first.SerializeToString())
        answer = ForwardMsg()
        while answer.WhichOneof("type") != "auth_redirect":
            answer.ParseFromString(socket.recv(timeout=ANSWER_SECONDS_MAX, decode=False))
        return f"{url}/{answer.auth_redirect.url.lstrip('/')}"


def sign_in(way_in: str, email: str, password: str) -> dict[str, str]:
    """Sign in at the tracker, from the dashboards and back; the cookies a browser then sends."""
    with requests.Session() as browser:
        form = browser.get(way_in, timeout=30)
        form.raise_for_status()
        page = html.unescape(form.text.partition('name="next" value="')[2].partition('"')[0])
        tracker = form.url.partition("/login")[0]
        answer = browser.post(
            f"{tracker}/login",
            data={"email": email, "password": password, "next": page},
            headers={"Origin": tracker},
            timeout=30,
        )
        answer.raise_for_status()
        # What a page asks for before it opens its web socket; its cookie stands against forgery.
        browser.get(f"{way_in.partition('/auth')[0]}/_stcore/health", timeout=30)
        cookies = {one.name: one.value or "" for one in browser.cookies}
        assert USER_COOKIE_NAME in cookies, f"{email} was not signed in"
        return cookies
