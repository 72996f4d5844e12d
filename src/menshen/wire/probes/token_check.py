"""Serve /auth/verify: 204 with the token's account, or 401. For nginx auth_request, Caddy, Traefik and Envoy.

The token comes in `Authorization: Bearer`, in `Token`, or in a cookie, which `carriers.py` finds. Words behind the path
ask for more than a good token: who does not meet them gets 403. `X-Auth-Level` tells by how many proofs the session was
opened. (docs/contracts/core.md section 3.4, docs/contracts/factors.md section 11.)
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.core.problems import Problem
from menshen.flows.catalog import Flows
from menshen.wire.http.carriers import read_carriers
from menshen.wire.http.plain import HARDENING, answer
from menshen.wire.http.refusals import Refusals
from menshen.wire.probes.carriers import CookieFinder
from menshen.wire.probes.requirements import VERIFY, requirement_of

# Some proxies (Envoy, APISIX) ask with the verb of the client's own request. It changes nothing here.
_VERBS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNAUTHENTICATED = {
    "type": "http.response.start",
    "status": 401,
    "headers": [*HARDENING, (b"www-authenticate", b"Bearer"), (b"content-length", b"0")],
}
# An answer without a body needs no protection against sniffing or referrers.
_NO_STORE = (b"cache-control", b"no-store")
_LEVELS = {1: (b"x-auth-level", b"1"), 2: (b"x-auth-level", b"2")}
_EMPTY = {"type": "http.response.body", "body": b""}


def token_check_app(flows: Flows) -> ASGIApp:
    """Return the endpoint over `flows.sessions.check`. It costs at most one read of the database for each token."""
    recall, check, cookies = flows.sessions.recall, flows.sessions.check, CookieFinder(flows)
    refusals = Refusals()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in _VERBS:
            await answer(send, 405, headers=[(b"allow", ", ".join(sorted(_VERBS)).encode())])
            return
        requirement = None
        # Most ask for nothing more, and this is called for every request of every app behind the server.
        if (path := scope["path"]) != VERIFY:
            requirement = requirement_of(path)
            if requirement is None:
                await answer(send, 404)
                return
        try:
            token, jars = read_carriers(scope["headers"])
            if token is not None:
                bearer = recall(token) or await check(token)
            else:
                bearer = (cookies.recall(jars) or await cookies.find(jars)) if jars else None
        except Problem:
            await answer(send, 503, headers=[(b"retry-after", b"1")])
            return
        if bearer is None:
            # The logged address is the proxy's. The proxy's own log holds the client's.
            refusals.note("verify", "unauthenticated", lambda: (scope.get("client") or ("",))[0], flows.now())
            await send(_UNAUTHENTICATED)
            await send(_EMPTY)
            return
        if requirement is not None and not requirement.met_by(bearer):
            refusals.note("verify", "forbidden", lambda: (scope.get("client") or ("",))[0], flows.now())
            await answer(send, 403)
            return
        await send(
            {
                "type": "http.response.start",
                "status": 204,
                "headers": [
                    (b"x-account-id", bearer.account_id.encode()),
                    (b"x-account-number", b"%d" % bearer.account_number),
                    (b"x-roles", bearer.roles.encode()),
                    _LEVELS[bearer.level],
                    _NO_STORE,
                ],
            }
        )
        await send(_EMPTY)

    return app
