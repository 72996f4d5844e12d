"""Check the Host header: only the names of apps, of the settings and of this machine are served.

Other names get 421. This stops DNS rebinding, and requests that a proxy forwards by mistake. Health checks are
answered under any name, because no name changes their answer.
(RFC 9110 sections 7.4 and 15.5.20, docs/security/attacks.md HD-3, decision 0014.)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.core.networks import is_loopback, parse_address
from menshen.core.problems import Problem
from menshen.flows.catalog import Flows
from menshen.wire.http.address import HOST, host_name
from menshen.wire.http.plain import answer
from menshen.wire.http.refusals import Refusals

_UNNAMED_PATHS: Final = frozenset({"/livez", "/readyz"})
_JSON: Final = b"application/json; charset=utf-8"


def check_host(inner: ASGIApp, flows: Flows) -> ASGIApp:
    """Wrap `inner` so that it gets only requests with a served name.

    No name, two names or a malformed one get 400; other names get 421.
    """
    refusals = Refusals()

    def note(scope: Scope, reason: str) -> None:
        refusals.note("host", reason, lambda: (scope.get("client") or ("",))[0], flows.now())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in _UNNAMED_PATHS:
            await inner(scope, receive, send)
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        host = hosts[0].decode("latin-1").lower() if len(hosts) == 1 else ""
        if not HOST.fullmatch(host):
            note(scope, "bad_host")
            await answer(send, 400, b'{"error":"bad_host"}', _JSON)
            return
        try:
            ours = is_literal(host) or await flows.apps.serves_host(host)
        except Problem:
            await answer(send, 503, b'{"error":"unavailable"}', _JSON, [(b"retry-after", b"1")])
            return
        if ours:
            await inner(scope, receive, send)
        else:
            note(scope, "misdirected_request")
            await answer(send, 421, b'{"error":"misdirected_request"}', _JSON)

    return app


@lru_cache(maxsize=256)
def is_literal(host: str) -> bool:
    """Check if a Host header (lower case) is an IP address or a name of this machine.

    No DNS record can point such a name here.
    """
    name = host_name(host)
    return is_loopback(name) or parse_address(name) is not None
