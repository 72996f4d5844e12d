"""Serve GET /auth/verify: 204 with the token's account, or 401. For nginx auth_request, Caddy and Traefik.

A bearer token is checked alone. Without one, cookies named …AUTHTOKEN are checked.
(docs/contracts/core.md section 3.4.)
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.core.problems import Problem
from menshen.flows.catalog import Flows
from menshen.wire.http.plain import HARDENING, answer
from menshen.wire.http.refusals import Refusals

_COOKIE = "AUTHTOKEN"
_MOST_COOKIES = 4
_UNAUTHENTICATED = {
    "type": "http.response.start",
    "status": 401,
    "headers": [*HARDENING, (b"www-authenticate", b"Bearer"), (b"content-length", b"0")],
}
# An answer without a body needs no protection against sniffing or referrers.
_NO_STORE = (b"cache-control", b"no-store")
_EMPTY = {"type": "http.response.body", "body": b""}


def token_check_app(flows: Flows) -> ASGIApp:
    """Return the endpoint over `flows.sessions.check`. It costs at most one read of the database for each token."""
    recall, check = flows.sessions.recall, flows.sessions.check
    refusals = Refusals()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            await answer(send, 405, headers=[(b"allow", b"GET, HEAD")])
            return
        try:
            bearer = None
            for token in _tokens(scope["headers"]):
                if bearer := recall(token) or await check(token):
                    break
        except Problem:
            await answer(send, 503, headers=[(b"retry-after", b"1")])
            return
        if bearer is None:
            # The logged address is the proxy's. The proxy's own log holds the client's.
            refusals.note("verify", "unauthenticated", lambda: (scope.get("client") or ("",))[0], flows.now())
            await send(_UNAUTHENTICATED)
            await send(_EMPTY)
            return
        headers = [
            (b"x-account-id", bearer.account_id.encode()),
            (b"x-account-number", b"%d" % bearer.account_number),
            (b"x-roles", bearer.roles.encode()),
            _NO_STORE,
        ]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send(_EMPTY)

    return app


def _tokens(headers: list[tuple[bytes, bytes]]) -> list[str]:
    """Return the tokens to check. Two Authorization headers, or two cookies of one name, count as none."""
    authorizations, jars = [], []
    for name, value in headers:
        if name == b"authorization":
            authorizations.append(value)
        elif name == b"cookie":
            jars.append(value)
    if authorizations:
        scheme, _, token = authorizations[0].decode("latin-1").partition(" ")
        return [token.strip(" \t")] if len(authorizations) == 1 and scheme.lower() == "bearer" else []
    cookies: dict[str, str] = {}
    twice = set()
    for jar in jars:
        for pair in jar.decode("latin-1").split(";"):
            if _COOKIE not in pair:
                continue
            key, equals, text = pair.strip(" \t").partition("=")
            if equals and key.endswith(_COOKIE):
                if key in cookies:
                    twice.add(key)
                cookies[key] = text.strip('"')
    return [text for key, text in cookies.items() if key not in twice][:_MOST_COOKIES]
