"""Calls about second steps over scripted flows, as a program or as a page of ours sends them."""

from __future__ import annotations

import json
from typing import Any

import httpx

from menshen.core.login.outcomes import StepNeeded
from menshen.core.time import SECOND, after
from menshen.testing.scripted_flows import NOW
from tests.wire.weidu.scripted import ScriptedWeidu

HTTP, HTTPS = "http://127.0.0.1:8400", "https://login.example"
TICKET, BINDS, TRUST = "k" * 26, "b" * 26, "d" * 26
PAGE = {"sec-fetch-site": "same-origin"}
FOREIGN = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
CREDENTIAL = {"id": "AQ", "rawId": "AQ", "type": "public-key", "response": {"signature": "AQ", "userHandle": None}}
STEP_AT = {HTTP: "menshenSTEP", HTTPS: "__Host-menshenSTEP"}
TRUST_AT = {HTTP: "menshenTRUST", HTTPS: "__Host-menshenTRUST"}
TAIL = {HTTP: "HttpOnly; SameSite=Lax", HTTPS: "HttpOnly; Secure; SameSite=Lax"}
GONE = "Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
LOGINS: dict[str, tuple[str, dict[str, Any]]] = {
    "/users/login": ("login.password", {"login_id": "ken", "password": "Zk12345678"}),
    "/users/mobile/login": (
        "login.code",
        {"login_id": "13544285663", "sms_code": "482913", "captcha_token": "t" * 26},
    ),
    "/users/email/login": (
        "login.code",
        {"login_id": "ken@example.com", "email_code": "482913", "captcha_token": "t" * 26},
    ),
    "/users/mobile/signup": (
        "login.sign_up",
        {"mobile": "13544285663", "sms_code": "482913", "passwd": "Zk12345678", "captcha_token": "t" * 26},
    ),
}
"""Each login with its flow and its body."""


def waiting(**changes: Any) -> StepNeeded:
    """Return a login that waits for a code of an app, or for a recovery code."""
    fields: dict[str, Any] = {"ticket": TICKET, "methods": ("totp", "recovery"), "expires_at": after(NOW, 300 * SECOND)}
    return StepNeeded(**fields | changes)


async def ask(
    script: ScriptedWeidu, path: str, body: Any, *, verb: str = "POST", base: str = HTTP, **headers: str
) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with script.client(base) as client:
        return await client.request(verb, path, content=json.dumps(body).encode(), headers=sent)


def cookies(response: httpx.Response) -> list[str]:
    return response.headers.get_list("set-cookie")
