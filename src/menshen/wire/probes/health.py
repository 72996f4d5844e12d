"""Serve /livez and /readyz, and 404 for each path that has no other owner."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.core.time import SECOND
from menshen.flows.catalog import Flows
from menshen.wire.http.plain import answer

_JSON = b"application/json; charset=utf-8"


def health_app(flows: Flows) -> ASGIApp:
    """Return the application: /livez answers while the event loop runs, /readyz while the database takes writes."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path not in {"/livez", "/readyz"}:
            await answer(send, 404, b'{"error":"not_found"}', _JSON)
        elif scope["method"] not in {"GET", "HEAD"}:
            await answer(send, 405, headers=[(b"allow", b"GET, HEAD")])
        elif path == "/livez":
            await answer(send, 200, b"ok\n")
        elif await flows.ready():
            lead = flows.clock_lead() // SECOND
            notice = f"the clock is {lead} s from what is certain: nothing is swept\n" if lead else ""
            await answer(send, 200, f"ready\n{notice}".encode())
        else:
            await answer(send, 503, b"not ready\n", headers=[(b"retry-after", b"1")])

    return app
