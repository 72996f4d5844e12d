"""Which Host headers are answered: the apps' own, the settings', and this machine's.

A page elsewhere that makes its name resolve to this server (DNS rebinding), or a proxy that forwards what it should
not, gets 421 and nothing else. Token checks and health are asked by machines under whatever name, and tell nothing
that a name could change. (RFC 9110 sections 7.4 and 15.5.20, docs/security/attacks.md HD-3, decision 0014.)
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.core.networks import is_loopback, parse_address
from menshen.core.problems import Problem
from menshen.flows.catalog import Flows
from menshen.wire.http.address import host_name
from menshen.wire.http.plain import answer
from menshen.wire.http.refusals import Refusals

_UNNAMED_PATHS: Final = frozenset({"/livez", "/readyz"})
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_JSON: Final = b"application/json; charset=utf-8"


def named(inner: ASGIApp, flows: Flows) -> ASGIApp:
    """`inner` for requests under a name of ours; 400 for no name or two, 421 for somebody else's."""
    refusals = Refusals()

    def note(scope: Scope, reason: str) -> None:
        refusals.note("host", reason, lambda: (scope.get("client") or ("",))[0], flows.now())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in _UNNAMED_PATHS:
            await inner(scope, receive, send)
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        host = hosts[0].decode("latin-1").lower() if len(hosts) == 1 else ""
        if not _HOST.fullmatch(host):
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
    """Whether a Host header (lower case) is an address or a name of this machine, which nobody else can point here."""
    name = host_name(host)
    return is_loopback(name) or parse_address(name) is not None
