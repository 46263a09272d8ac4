"""Headers of a reverse proxy are believed when one of ours sent the request, and else never."""

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

from ops_api.settings import Network

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class BelieveProxies:
    """WSGI middleware: address, scheme and host come from the last proxy if it is a known one.

    Whatever a client wrote into X-Forwarded-For itself stands before the proxy's own entry and is
    not looked at.
    """

    def __init__(self, app: "WSGIApplication", proxies: tuple[Network, ...]) -> None:
        self._direct = app
        self._proxied = ProxyFix(app, x_for=1, x_proto=1, x_host=1)
        self._proxies = proxies

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Serve the request as it came, or as the proxy says it came to itself."""
        app = self._proxied if self._is_proxy(environ.get("REMOTE_ADDR", "")) else self._direct
        return app(environ, start_response)

    def _is_proxy(self, address: str) -> bool:
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self._proxies)
