"""Script flows for tests of what only the wire decides. They know no store, hash or clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, get_type_hints

from menshen.core.account.accounts import Account
from menshen.core.apps import App
from menshen.core.gates.captcha import ProofOfWork
from menshen.core.login.asks import PasswordLogin
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import Session
from menshen.core.time import DAY, Instant
from menshen.flows.catalog import Flows, use_cases

NOW: Final = Instant(1_601_803_195_000)
APP: Final = App(1, "default", "12345678", "s" * 32)
PASSWORD_LOGIN: Final = "login.password"
"""The flow behind the login that every dialect shows."""
FLOW_NAMES: Final = frozenset(use_cases())
"""Every name that an endpoint may give for its flow."""

Flow = Callable[..., Awaitable[Any]]


@dataclass
class ScriptedFlows:
    """Script a catalogue of flows for one test.

    `answers` maps the name of a flow to what it returns, or to the exception that it raises. `asked` keeps what these
    flows were asked, in order. Without an answer, finding the app, authenticating, logging out and challenges work, and
    leave nothing in `asked`; every other flow answers with `unscripted`. `live` maps the tokens that are good to their
    sessions: a test revokes a token by taking it out.
    """

    app: App = APP
    now: Instant = NOW
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    live: dict[str, Authenticated] = field(default_factory=dict)

    def flows(self) -> Flows:
        """Return the catalogue."""
        own: dict[str, Flow] = {
            "apps.by_host": self.find_app,
            "apps.by_key": self.find_app,
            "sessions.authenticate": self._authenticate,
            "sessions.log_out": self._log_out,
            "captcha.new_challenge": self._new_challenge,
        }
        made: dict[str, Any] = {name: self._scripted(name, own.get(name)) for name in FLOW_NAMES | own.keys()}
        made["login.crowded"] = lambda _: False
        subjects: dict[str, dict[str, Any]] = {}
        for name, flow in made.items():
            subject, _, verb = name.partition(".")
            subjects.setdefault(subject, {})[verb] = flow
        kinds = get_type_hints(Flows)
        return Flows(
            policy=Policy(),
            now=lambda: self.now,
            csrf_fits=self.csrf_fits,
            page_value=lambda *parts: "|".join(parts),
            page_value_fits=lambda given, *parts: given == "|".join(parts),
            ready=self._scripted("ready", None),
            **{subject: kinds[subject](**verbs) for subject, verbs in subjects.items()},
        )

    def grant(self, dialect: str, token: str) -> None:
        """Let the next password login succeed with this token, which is good from then on."""
        session = session_of(dialect)
        account = Account(7, "p" * 26, "alice1", "Alice1")
        self.live[token] = Authenticated(session, account)
        self.answers[PASSWORD_LOGIN] = Granted(account, session, token, "c" * 26, "r" * 32)

    def password_logins(self) -> list[PasswordLogin]:
        """Return what password logins asked, in order."""
        return [asks[0] for name, asks in self.asked if name == PASSWORD_LOGIN]

    def unscripted(self, name: str) -> Any:
        """Return the answer of a flow that has none in `answers`: FORBIDDEN."""
        return Denied(ProblemCode.FORBIDDEN)

    def csrf_fits(self, session_id: str, value: str) -> bool:
        """Say whether `value` is the CSRF token of the session. No value is."""
        return False

    async def find_app(self, name: str) -> App | Denied:
        """Return the app of a host or key: the same one for all, or the refusal of a disabled one."""
        return Denied(ProblemCode.FORBIDDEN) if self.app.disabled else self.app

    def _scripted(self, name: str, own: Flow | None) -> Flow:
        async def flow(*asks: Any) -> Any:
            if own is not None and name not in self.answers:
                return await own(*asks)
            self.asked.append((name, asks))
            answer = self.answers[name] if name in self.answers else self.unscripted(name)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return flow

    async def _authenticate(self, token: str) -> Authenticated | Denied:
        return self.live.get(token, Denied(ProblemCode.UNAUTHENTICATED))

    async def _log_out(self, caller: Authenticated, _: Origin) -> Done:
        self.live = {token: who for token, who in self.live.items() if who is not caller}
        return Done()

    async def _new_challenge(self, _: Origin) -> ProofOfWork:
        return ProofOfWork({"algorithm": "PBKDF2/SHA-256", "nonce": "n"}, "signature")


def session_of(dialect: str) -> Session:
    """Return an open session of account 7 in this dialect."""
    return Session(
        session_id="s" * 26,
        account_number=7,
        app_id=APP.app_id,
        dialect=dialect,
        platform=dialect,
        slot=None,
        device_id="",
        device_model="",
        device_name="",
        ip="192.0.2.1",
        created_at=NOW,
        seen_at=NOW,
        proved_at=NOW,
        expires_at=Instant(NOW + 30 * DAY),
        ends_at=Instant(NOW + 180 * DAY),
        sliding_ms=0,
        refresh_expires_at=Instant(NOW + 31 * DAY),
    )
