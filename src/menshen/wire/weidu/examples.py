"""Show good exchanges of this dialect, for its readers and for the dialect contract. A server never imports this.

(docs/contracts/weidu.md sections 1.2 and 2.)
"""

from __future__ import annotations

import json
from typing import Final

from menshen.core.apps import App
from menshen.core.time import Instant
from menshen.wire.examples import Answer, Carrier, Examples, Request


def login(app: App, username: str, password: str, now: Instant) -> Request:
    """Log in with a name and a password."""
    body = json.dumps({"login_id": username, "password": password}).encode()
    return Request("POST", "/weidu/api/v1/users/login", (("content-type", "application/json"),), body)


def account(app: App, token: str, now: Instant) -> Request:
    """Read one's own account."""
    asked = Request("GET", "/weidu/api/v1/users/info")
    return asked.with_header("token", token) if token else asked


def token(answer: Answer) -> str:
    """Read the token of a login."""
    return answer.header("token")


def refusal(answer: Answer) -> str:
    """Read what a refusal says to people."""
    body = json.loads(answer.body)
    styled = body.get("code") == answer.status >= 400 and "error" in body
    return str(body["result"]) if styled else ""


EXAMPLES: Final = Examples(
    login=login,
    account=account,
    token=token,
    refusal=refusal,
    carriers=frozenset({Carrier.BEARER, Carrier.TOKEN_HEADER, Carrier.COOKIE}),
)
