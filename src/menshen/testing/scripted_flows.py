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


@dataclass
class ScriptedFlows:
    """Script a catalogue of flows for one test.

    `answers` maps the name of a flow to what it returns, or to the exception that it raises. A flow without an answer
    refuses with FORBIDDEN. `asked` keeps what the flows were asked, in order. `live` maps the tokens that are good to
    their sessions: a test revokes a token by taking it out.
    """

    app: App = APP
    now: Instant = NOW
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    live: dict[str, Authenticated] = field(default_factory=dict)

    def flows(self) -> Flows:
        """Return the catalogue."""
        made: dict[str, Any] = {name: self._scripted(name) for name in FLOW_NAMES}
        made |= {
            "apps.by_host": self._find_app,
            "apps.by_key": self._find_app,
            "sessions.authenticate": self._authenticate,
            "sessions.log_out": self._log_out,
            "captcha.new_challenge": self._new_challenge,
            "login.crowded": lambda _: False,
        }
        subjects: dict[str, dict[str, Any]] = {}
        for name, flow in made.items():
            subject, _, verb = name.partition(".")
            subjects.setdefault(subject, {})[verb] = flow
        kinds = get_type_hints(Flows)
        return Flows(
            policy=Policy(),
            now=lambda: self.now,
            csrf_fits=lambda *_: False,
            ready=self._scripted("ready"),
            **{subject: kinds[subject](**verbs) for subject, verbs in subjects.items()},
        )

    def grant(self, dialect: str, token: str) -> None:
        """Let the next password login succeed with this token, which is good from then on."""
        session = _session(dialect)
        account = Account(7, "p" * 26, "alice1", "Alice1")
        self.live[token] = Authenticated(session, account)
        self.answers[PASSWORD_LOGIN] = Granted(account, session, token, "c" * 26, "r" * 32)

    def password_logins(self) -> list[PasswordLogin]:
        """Return what password logins asked, in order."""
        return [asks[0] for name, asks in self.asked if name == PASSWORD_LOGIN]

    def _scripted(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def flow(*asks: Any) -> Any:
            self.asked.append((name, asks))
            answer = self.answers.get(name, Denied(ProblemCode.FORBIDDEN))
            if isinstance(answer, Exception):
                raise answer
            return answer

        return flow

    async def _find_app(self, _: str) -> App:
        return self.app

    async def _authenticate(self, token: str) -> Authenticated | Denied:
        return self.live.get(token, Denied(ProblemCode.UNAUTHENTICATED))

    async def _log_out(self, caller: Authenticated, _: Origin) -> Done:
        self.live = {token: who for token, who in self.live.items() if who is not caller}
        return Done()

    async def _new_challenge(self, _: Origin) -> ProofOfWork:
        return ProofOfWork({"algorithm": "PBKDF2/SHA-256", "nonce": "n"}, "signature")


def _session(dialect: str) -> Session:
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
