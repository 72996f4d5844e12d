"""The dialect over flows on paper: each test says what a flow answers, and reads what it was asked.

For what only the wire decides; what needs accounts runs over the harness. Every answer is held against the house
rules and the published document on its way through.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import httpx
import jsonschema

from menshen.core.account.accounts import Account, Profile
from menshen.core.apps import App
from menshen.core.gates.captcha import ProofOfWork
from menshen.core.login.outcomes import Granted
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import Session
from menshen.core.time import DAY, Instant
from menshen.flows.account.catalog import AccountFlows
from menshen.flows.apps.catalog import AppFlows
from menshen.flows.catalog import Flows
from menshen.flows.codes.catalog import CodeFlows
from menshen.flows.gates.catalog import CaptchaFlows
from menshen.flows.login.catalog import LoginFlows
from menshen.flows.sessions.catalog import SessionFlows
from menshen.flows.use_case import flows_of
from menshen.wire.dialect import DialectContext
from menshen.wire.weidu import DIALECT, ROUTES
from menshen.wire.weidu.openapi import openapi
from menshen.wire.weidu.routing import PREFIX

NOW = Instant(1_601_803_195_000)
TOKEN = "3r6ebp6gabf6unbee35eu8u6bo"
CSRF = "8q7tskhertbqfb74znhhzanpra"
APP = App(1, "default", "12345678", "s" * 32)
CHALLENGE = ProofOfWork({"algorithm": "SHA-256", "nonce": "n"}, "sig")
DOCUMENT = openapi(ROUTES, "0")


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
    seed = Session(
        session_id="s" * 26,
        account_number=8970,
        app_id=1,
        dialect="weidu",
        platform="weidu",
        slot=None,
        device_id="",
        device_model="",
        device_name="",
        ip="127.0.0.1",
        created_at=NOW,
        seen_at=NOW,
        proved_at=NOW,
        expires_at=Instant(NOW + 30 * DAY),
        ends_at=Instant(NOW + 180 * DAY),
        sliding_ms=30 * DAY,
    )
    return replace(seed, **changes)


def granted(who: Account | None = None, **session_changes: Any) -> Granted:
    return Granted(who or account(), session(**session_changes), TOKEN, CSRF)


S = TypeVar("S")


@dataclass
class Paper:
    """Flows whose answers are set by name: `paper.answers["login.password"] = Denied(…)`; asks are kept."""

    app: App = APP
    hosts: dict[str, App] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    tokens: dict[str, Authenticated] = field(default_factory=dict)
    now: Instant = NOW
    proxies: int = 0
    origins: frozenset[str] = frozenset()

    def log_in(self, token: str = TOKEN, who: Account | None = None, **session_changes: Any) -> Authenticated:
        """Make `token` good."""
        self.tokens[token] = Authenticated(session(**session_changes), who or account())
        return self.tokens[token]

    def flows(self) -> Flows:
        self.answers.setdefault("captcha.new_challenge", CHALLENGE)
        return Flows(
            policy=Policy(),
            now=lambda: self.now,
            csrf_fits=lambda session_id, value: value == CSRF and session_id == "s" * 26,
            ready=self._flow("ready"),
            apps=replace(self._subject("apps", AppFlows), by_host=self._app),
            sessions=replace(self._subject("sessions", SessionFlows), authenticate=self._authenticate),
            login=replace(self._subject("login", LoginFlows), crowded=lambda _: False),
            codes=self._subject("codes", CodeFlows),
            captcha=self._subject("captcha", CaptchaFlows),
            account=self._subject("account", AccountFlows),
        )

    def _subject(self, subject: str, kind: type[S]) -> S:
        return kind(**{name: self._flow(f"{subject}.{name}") for name in flows_of(kind)})

    def _flow(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def flow(*asks: Any) -> Any:
            self.asked.append((name, asks))
            answer = self.answers[name]
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return flow

    async def _app(self, host: str) -> App:
        return self.hosts.get(host, self.app)

    async def _authenticate(self, token: str) -> Authenticated | Denied:
        return self.tokens.get(token, Denied(ProblemCode.UNAUTHENTICATED))

    def asgi(self) -> Any:
        context = DialectContext(self.flows(), self.proxies, lambda count: bytes(range(count)), self.origins)
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
        said = body.get("retry_after")
        assert headers.get("retry-after") == (None if said is None else str(said))
        assert ("www-authenticate" in headers) == (response.status_code == 401)


def documented(request: httpx.Request) -> dict[str, Any] | None:
    """The operation of the document that a request is for."""
    path = request.url.path
    if path.startswith(PREFIX + "/users/sessions/"):
        path = PREFIX + "/users/sessions/{id}"
    found: dict[str, Any] | None = DOCUMENT["paths"].get(path, {}).get(request.method.lower())
    return found
