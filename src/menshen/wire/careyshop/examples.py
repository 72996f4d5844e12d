"""Show good exchanges of this dialect, for its readers and for the dialect contract. A server never imports this.

(docs/contracts/careyshop.md sections 1 to 4.)
"""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import urlencode

from menshen.core.apps import App
from menshen.core.time import SECOND, Instant
from menshen.wire.careyshop.sign import sign_of
from menshen.wire.examples import Answer, Carrier, Examples, Request


def login(app: App, username: str, password: str, now: Instant) -> Request:
    """Log in with a name and a password."""
    return _called("login.user.user", app, now, username=username, password=password, platform="pc")


def account(app: App, token: str, now: Instant) -> Request:
    """Read one's own account: `client_id` is needed, and whose it is does not matter."""
    return _called("get.user.info", app, now, client_id="1", **({"token": token} if token else {}))


def token(answer: Answer) -> str:
    """Read the token of a login."""
    data = json.loads(answer.body)["data"]
    return str(data["token"]["token"]) if data and "token" in data else ""


def refusal(answer: Answer) -> str:
    """Read what a refusal says to people."""
    body = json.loads(answer.body)
    # The one refusal with data is that of a login that needs a second step.
    due = isinstance(body["data"], dict) and list(body["data"]) == ["second"] and body["status"] == 500
    styled = list(body) == ["status", "message", "data"] and body["status"] != 200 and (due or body["data"] is None)
    return str(body["message"]) if styled else ""


def _called(method: str, app: App, now: Instant, **parameters: str) -> Request:
    """Make a signed call, as a form."""
    whole = {"method": method, "appkey": app.appkey, "timestamp": str(now // SECOND), **parameters}
    body = urlencode({**whole, "sign": sign_of(whole, app.secret)}).encode()
    return Request("POST", "/api/v1/user", (("content-type", "application/x-www-form-urlencoded"),), body)


EXAMPLES: Final = Examples(
    login=login,
    account=account,
    token=token,
    refusal=refusal,
    carriers=frozenset({Carrier.BEARER}),
    # The recorded server speaks Chinese, and answers HTTP 200 over plain HTTP (docs/contracts/careyshop.md section 2).
    languages=("zh",),
    http_statuses=False,
)
