"""Show good exchanges of this dialect, for its readers and for the dialect contract. A server never imports this."""

from __future__ import annotations

import json
from typing import Final

from menshen.core.apps import App
from menshen.core.time import Instant
from menshen.wire.examples import Answer, Carrier, Examples, Request


def login(app: App, username: str, password: str, now: Instant) -> Request:
    """Log in."""
    body = json.dumps({"username": username, "password": password}).encode()
    return Request("POST", "/specimen/login", (("content-type", "application/json"),), body)


def account(app: App, token: str, now: Instant) -> Request:
    """Read one's own account."""
    asked = Request("GET", "/specimen/me")
    return asked.with_header("authorization", f"Bearer {token}") if token else asked


def token(answer: Answer) -> str:
    """Read the token of a login's answer."""
    return str(json.loads(answer.body).get("token", ""))


def refusal(answer: Answer) -> str:
    """Read what a refusal says to people."""
    body = json.loads(answer.body)
    styled = body.get("ok") is False and set(body) <= {"ok", "error", "message", "retry_after"}
    return str(body["message"]) if styled else ""


EXAMPLES: Final = Examples(
    login=login, account=account, token=token, refusal=refusal, carriers=frozenset({Carrier.BEARER})
)
