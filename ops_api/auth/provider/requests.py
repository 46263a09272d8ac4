"""What a request to the provider must look like before Authlib sees it.

Authlib builds its refusals from what was sent, which fails for odd characters, and lets values come
twice or from the wrong place.
"""

from authlib.oauth2.rfc6749 import errors as oauth
from flask import request

from ops_api.auth.provider.clients import OidcClient
from ops_api.errors import InvalidRequestError
from ops_api.security_log import log_refusal

VALUE_LENGTH_MAX = 1000
NONCE_LENGTH_MAX = 200


class NotSupportedError(oauth.OAuth2Error):
    """Something of OpenID that this provider leaves out, and says so in its discovery."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description, error=error)


def asked_by_known_client(clients: dict[str, OidcClient]) -> OidcClient:
    """The client, whose redirect URI is exactly one of its own; else a refusal for the person."""
    client_ids, uris = request.args.getlist("client_id"), request.args.getlist("redirect_uri")
    client = clients.get(client_ids[0]) if len(client_ids) == 1 else None
    if client is None:
        log_refusal("client_unknown", client=", ".join(client_ids))
        raise InvalidRequestError(
            "unknown-client", "The page that sent you here is not known to us."
        )
    if len(uris) != 1 or not client.check_redirect_uri(uris[0]):
        log_refusal("redirect_refused", client=client.client_id, uri=", ".join(uris))
        raise InvalidRequestError(
            "foreign-redirect",
            "You were to be sent on to an address that is not known to us. "
            "Open the page that you want from its own address.",
        )
    return client


def check_code_request() -> None:
    """What holds for every value of an authorization request; raises Authlib's errors."""
    for name, values in request.args.lists():
        if len(values) > 1 or len(values[0]) > VALUE_LENGTH_MAX or not values[0].isprintable():
            raise oauth.InvalidRequestError("A parameter is repeated, too long or not printable")
        if name in {"request", "request_uri", "registration"}:
            raise NotSupportedError(f"{name}_not_supported", f"{name} is not supported")
    if request.args.get("response_type") != "code":
        raise NotSupportedError("unsupported_response_type", "response_type must be code")
    if request.args.get("response_mode", "query") != "query":
        raise oauth.InvalidRequestError("response_mode must be query")
    if len(request.args.get("nonce", "")) > NONCE_LENGTH_MAX:
        raise oauth.InvalidRequestError("nonce is too long")
    max_age = request.args.get("max_age", "0")
    if not (max_age.isascii() and max_age.isdecimal()):
        raise oauth.InvalidRequestError("max_age is a number of seconds")


def single_values() -> None:
    """A token request has its values in the body, each once; raises Authlib's error."""
    if request.args or any(len(values) > 1 for _, values in request.form.lists()):
        raise oauth.InvalidRequestError("Send each value once, in the body")
