"""Run the dialect over scripted flows: a test sets what a flow answers, and reads what it was asked.

This is for tests of what only the wire decides. Tests that need accounts run over the harness. Each answer is checked
against the house rules and the published document.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import jsonschema
import msgspec

from menshen.core.account.accounts import Account, Profile
from menshen.core.apps import App
from menshen.core.gates.captcha import ProofOfWork
from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied, ProblemCode
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import Session
from menshen.core.time import DAY, NEVER, Instant
from menshen.flows.catalog import Flows, use_cases
from menshen.testing.scripted_flows import ScriptedFlows, session_of
from menshen.wire.dialect import DialectContext
from menshen.wire.weidu import DIALECT, ROUTES
from menshen.wire.weidu.openapi import openapi
from menshen.wire.weidu.problems import TABLE, WIRE_RULES
from menshen.wire.weidu.routing import PREFIX, Route

TOKEN = "3r6ebp6gabf6unbee35eu8u6bo"
CSRF = "8q7tskhertbqfb74znhhzanpra"
CHALLENGE = ProofOfWork({"algorithm": "SHA-256", "nonce": "n"}, "sig")
DOCUMENT = openapi(ROUTES, "0")
FAMILIES = [route.path.removesuffix("{id}") for route in ROUTES if route.path.endswith("{id}")]
SAID = {TABLE[code].word for case in use_cases().values() for code in case.refusals} | {
    rule.word for rule in WIRE_RULES
}
"""The words of refusals that anything makes today. A flow may be scripted to fail with another one."""


def account(**changes: Any) -> Account:
    """The account of the first seed's example."""
    seed = Account(
        number=8970,
        public_id="7wnaasfa47bebbtjbazajef3eh",
        username="1313354987295739904",
        username_shown="1313354987295739904",
        phone="+8613544285663",
        phone_verified=True,
        created_at=Instant(1601963204584),
        updated_at=Instant(1601963204584),
        profile=Profile(),
    )
    return replace(seed, **changes)


def session(**changes: Any) -> Session:
    """An open session of that account."""
    seed = replace(session_of("weidu"), account_number=8970, ip="127.0.0.1", sliding_ms=30 * DAY)
    return replace(seed, **{"refresh_expires_at": NEVER, **changes})


def granted(who: Account | None = None, **session_changes: Any) -> Granted:
    return Granted(who or account(), session(**session_changes), TOKEN, CSRF)


@dataclass
class ScriptedWeidu(ScriptedFlows):
    """Script the flows of one test of this dialect, as `script.answers["login.password"] = Denied(…)`.

    An app is found by its host first. A flow without an answer is a fault of the test.
    """

    hosts: dict[str, App] = field(default_factory=dict)
    proxies: int = 0
    origins: frozenset[str] = frozenset()
    cors_headers: tuple[str, ...] = ()

    def log_in(self, token: str = TOKEN, who: Account | None = None, **session_changes: Any) -> Authenticated:
        """Make `token` good."""
        self.live[token] = Authenticated(session(**session_changes), who or account())
        return self.live[token]

    def flows(self) -> Flows:
        self.answers.setdefault("captcha.new_challenge", CHALLENGE)
        return super().flows()

    def unscripted(self, name: str) -> Any:
        raise KeyError(name)

    def csrf_fits(self, session_id: str, value: str) -> bool:
        return value == CSRF and session_id == "s" * 26

    async def find_app(self, name: str) -> App | Denied:
        found = self.hosts.get(name, self.app)
        return Denied(ProblemCode.FORBIDDEN) if found.disabled else found

    def asgi(self) -> Any:
        draw = lambda count: bytes(range(count))  # noqa: E731
        context = DialectContext(self.flows(), self.proxies, draw, self.origins, self.cors_headers)
        return DIALECT.build(context)

    def client(self, base_url: str = "http://127.0.0.1:8400", **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.asgi(), client=("127.0.0.1", 4711)),
            base_url=base_url + PREFIX,
            event_hooks={"response": [hold_to_the_rules]},
            **options,
        )

    def asks(self, name: str) -> list[tuple[Any, ...]]:
        return [asks for asked, asks in self.asked if asked == name]


async def hold_to_the_rules(response: httpx.Response) -> None:
    """What is true of every answer of this dialect."""
    await response.aread()
    headers = response.headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert len(headers["x-request-id"]) == 26
    if response.status_code == 204 or response.request.method == "HEAD":
        assert response.content == b""
        return
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["content-length"] == str(len(response.content))
    body = json.loads(response.content)
    route = next((r for r in ROUTES if documented(response.request) is operation_of(r)), None)
    if route is not None and response.status_code == 200:
        # The document has one schema where a call has several forms. An answer is one of them, whole.
        assert any(is_one(body, form) for form in route.answers), body
    compact = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    assert response.content == compact
    assert body["code"] == response.status_code
    schema: dict[str, Any] = {"$ref": "#/components/schemas/Failure"}
    operation = documented(response.request)
    if operation is not None:
        # Nothing is answered that the document does not announce.
        schema = operation["responses"][str(response.status_code)]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(body)
    if response.status_code >= 400:
        if operation is not None and body["error"] in SAID:
            words = operation["responses"][str(response.status_code)]["description"]
            assert f"`{body['error']}`" in words, f"{body['error']} is not announced: {words}"
        said = body.get("retry_after")
        assert headers.get("retry-after") == (None if said is None else str(said))
        assert ("www-authenticate" in headers) == (response.status_code == 401)


def is_one(body: Any, form: type[msgspec.Struct]) -> bool:
    """Whether a body has the fields of this form, and no others."""
    try:
        held = msgspec.convert(body, form, strict=True)
    except msgspec.ValidationError:
        return False
    return bool(json.loads(msgspec.json.encode(held)) == body)


def operation_of(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][PREFIX + route.path][route.verb.lower()]
    return found


def documented(request: httpx.Request) -> dict[str, Any] | None:
    """The operation of the document that a request is for."""
    path = request.url.path
    for family in FAMILIES:
        if path.startswith(PREFIX + family) and path not in DOCUMENT["paths"]:
            path = PREFIX + family + "{id}"
    found: dict[str, Any] | None = DOCUMENT["paths"].get(path, {}).get(request.method.lower())
    return found
