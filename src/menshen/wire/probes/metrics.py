"""Serve GET /metrics for Prometheus, to this machine and configured networks only.

Others get 404, as for an unknown path. Must not know the metrics: `render` returns the text.
(docs/contracts/core.md section 5.5, docs/security/attacks.md AD-6.)
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.wire.http.address import client_ip
from menshen.wire.http.plain import answer

_LOOPBACK = ("127.0.0.0/8", "::1/128")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


def metrics_app(
    render: Callable[[], tuple[bytes, str]], networks: Sequence[str] = (), trusted_proxies: int = 0
) -> ASGIApp:
    """Return the endpoint. `render` returns body and content type; `networks` are CIDRs allowed beside loopback."""
    allowed = [ipaddress.ip_network(network, strict=False) for network in (*_LOOPBACK, *networks)]

    def may_read(scope: Scope) -> bool:
        headers = Headers(scope=scope)
        # An unconfigured proxy on this machine would forward requests from anywhere.
        if not trusted_proxies and any(name in headers for name in _FORWARDED):
            return False
        address = ipaddress.ip_address(client_ip(scope, headers, trusted_proxies))
        return any(address in network for network in allowed if network.version == address.version)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if not may_read(scope):
            await answer(send, 404, b'{"error":"not_found"}', b"application/json; charset=utf-8")
        elif scope["method"] not in {"GET", "HEAD"}:
            await answer(send, 405, headers=[(b"allow", b"GET, HEAD")])
        else:
            body, kind = render()
            await answer(send, 200, body, kind.encode())

    return app
