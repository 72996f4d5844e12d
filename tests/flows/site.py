"""An installation as the wire sees it: origins, houses, and the shortest way to each call."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from menshen.app.binding import bind_flows
from menshen.core.account.accounts import Account
from menshen.core.apps import App, SessionRule
from menshen.core.audit.events import Event, Tag
from menshen.core.codes.asks import CodeSent, SendCode
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.gates.captcha import PASS_LIFETIME, PassPresented, ProofOfWork
from menshen.core.identifiers import Kind, parse_email, parse_phone
from menshen.core.login.asks import CodeLogin, PasswordLogin
from menshen.core.login.outcomes import Granted, LoginOutcome
from menshen.core.networks import scales_of
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import DialectRules, Origin
from menshen.core.sessions.devices import Device
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import FIXED, SLIDING, Session
from menshen.core.time import HOUR, after
from menshen.core.tokens import TokenStyle, base32, digest
from menshen.flows.catalog import Flows
from menshen.flows.sessions.check import Touches
from tests.harness import Clock, Harness, open_harness
from tests.substitutes import Substitute

WEIDU = DialectRules("weidu", TokenStyle.BASE32, SLIDING, SessionRule.ONE_PER_DEVICE)
CAREYSHOP = DialectRules("careyshop", TokenStyle.HEX, FIXED, SessionRule.ONE_PER_PLATFORM)

PHONE, OTHER_PHONE = "+8613544285662", "+8613800138000"
EMAIL, OTHER_EMAIL = "kevin@163.com", "other@b.example"
PASSWORD, WRONG, NEW = "correct horse", "incorrect horse", "battery staple"
HOME, AWAY = "198.51.100.7", "203.0.113.9"


@dataclass
class Site:
    """A harness, and where calls come from unless a test says otherwise."""

    harness: Harness
    networks: int = field(default=0)
    altered: Flows | None = None
    """Flows over ports of the test's own, in place of the harness's."""

    @property
    def flows(self) -> Flows:
        return self.altered or self.harness.flows

    def over(self, **ports: Any) -> Site:
        """Give the same installation with flows over other ports. What the site itself does stays on its own."""
        if "store" in ports:
            ports["touches"] = Touches(ports["store"], self.harness.assembled.clocks)
        return replace(self, altered=bind_flows(replace(self.harness.assembled.ports, **ports)))

    @property
    def clock(self) -> Clock:
        return self.harness.clock

    @property
    def store(self) -> Any:
        return self.harness.store

    def origin(
        self, ip: str = HOME, rules: DialectRules = WEIDU, *, app: App | None = None, device: str = "",
        language: str = "zh", presented: str = "",
    ) -> Origin:  # fmt: skip
        return Origin(
            app or self.harness.app,
            rules,
            ip,
            scales_of(ip),
            language,
            Device(device, "Mi 10", "phone") if device else Device(),
            digest(presented) if presented else b"",
        )

    def elsewhere(self, rules: DialectRules = WEIDU) -> Origin:
        """A network that nobody came from before."""
        self.networks += 1
        return self.origin(f"10.{self.networks // 250}.{self.networks % 250}.1", rules)

    # --- captchas and codes -------------------------------------------------------------------------------------------

    async def challenge(self, origin: Origin | None = None) -> ProofOfWork:
        made = await self.flows.captcha.new_challenge(origin or self.origin())
        assert isinstance(made, ProofOfWork), made
        return made

    async def captcha(self, origin: Origin | None = None, difficulty: int = 9) -> PassPresented:
        """A pass as hard as any network can ask for, good for `origin`'s app and network."""
        origin = origin or self.origin()
        token = base32(os.urandom(16))
        until = after(self.clock.now(), PASS_LIFETIME)
        await self.store.write(
            lambda tx: tx.captchas.add_pass(
                digest(token), origin.app.app_id, origin.network, until, difficulty=difficulty
            )
        )
        return PassPresented(token)

    async def ask_code(
        self, subject: str = PHONE, purpose: Purpose = Purpose.LOGIN, origin: Origin | None = None
    ) -> CodeSent | Denied:
        origin = origin or self.origin()
        captcha = await self.captcha(origin) if purpose.needs_captcha else None
        kind = Kind.EMAIL if "@" in subject else Kind.PHONE
        return await self.flows.codes.send(SendCode(kind, subject, purpose, captcha), origin)

    async def code(self, subject: str = PHONE, purpose: Purpose = Purpose.LOGIN, origin: Origin | None = None) -> str:
        """A code that arrived; sent from a network of its own and an hour after the last, so that no limit is near."""
        self.clock.advance(HOUR)
        sender = replace(origin or self.origin(), networks=self.elsewhere().networks)
        sent = await self.ask_code(subject, purpose, sender)
        assert isinstance(sent, CodeSent), sent
        return (await self.harness.messages())[-1].code

    @staticmethod
    def wrong(code: str) -> str:
        return f"{(int(code) + 1) % 1_000_000:06}"

    async def try_code(
        self, code: str, subject: str = PHONE, origin: Origin | None = None, platform: str = ""
    ) -> LoginOutcome:
        origin = origin or self.origin()
        return await self.flows.login.code(CodeLogin(subject, code, await self.captcha(origin), platform), origin)

    async def login_code(self, subject: str = PHONE, origin: Origin | None = None) -> Granted:
        got = await self.try_code(await self.code(subject, origin=origin), subject, origin)
        assert isinstance(got, Granted), got
        return got

    # --- passwords ----------------------------------------------------------------------------------------------------

    async def try_password(
        self, login_id: str = "kevin", password: str = PASSWORD, origin: Origin | None = None, *,
        captcha: PassPresented | None = None, platform: str = "",
    ) -> LoginOutcome:  # fmt: skip
        return await self.flows.login.password(
            PasswordLogin(login_id, password, platform, captcha), origin or self.origin()
        )

    async def login(
        self, login_id: str = "kevin", password: str = PASSWORD, origin: Origin | None = None, platform: str = ""
    ) -> Granted:
        got = await self.try_password(login_id, password, origin, platform=platform)
        assert isinstance(got, Granted), got
        return got

    async def fail(self, times: int, login_id: str = "kevin", origin: Origin | None = None) -> None:
        """Wrong passwords that were judged, with captchas where they are asked for."""
        origin = origin or self.origin()
        for _ in range(times):
            got = await self.try_password(login_id, WRONG, origin, captcha=await self.captcha(origin))
            assert got == Denied(ProblemCode.WRONG_CREDENTIALS), got

    # --- looking ------------------------------------------------------------------------------------------------------

    async def kevin(self, **given: Any) -> Account:
        """The account that most tests are about: a name, a proved phone and address, a password."""
        return await self.harness.add_account(
            **{"username": "kevin", "phone": PHONE, "email": EMAIL, "password": PASSWORD} | given
        )

    async def caller(self, granted: Granted) -> Authenticated:
        who = await self.flows.sessions.authenticate(granted.token)
        assert isinstance(who, Authenticated), who
        return who

    async def account(self, account: Account | Granted | int) -> Account:
        number = account.account.number if isinstance(account, Granted) else getattr(account, "number", account)
        found = await self.store.read.accounts.find(number)
        assert found is not None
        return found

    async def alive(self, *granted: Granted) -> list[bool]:
        return [await self.flows.sessions.check(one.token) is not None for one in granted]

    async def sessions(self, account: Account) -> list[Session]:
        return list(await self.store.read.sessions.list_of(account.number))

    async def tags(self, account: Account | None = None) -> list[Tag]:
        return [event.tag for event in await self.events(account)]

    async def events(self, account: Account | None = None, tag: Tag | None = None) -> list[Event]:
        events = await self.harness.events()
        return [
            event
            for event in events
            if (account is None or event.account_number == account.number) and (tag is None or event.tag is tag)
        ]

    def counting_hashes(self) -> tuple[Site, list[str]]:
        """Give the same installation, and what its hasher is asked there: "verify" or "hash", one word a call."""
        calls: list[str] = []
        hasher = self.harness.assembled.hasher
        counted = {name: _counted(getattr(hasher, name), name, calls) for name in ("verify", "hash")}
        return self.over(hasher=Substitute(hasher, **counted)), calls


def _counted(inner: Callable[..., Any], name: str, calls: list[str]) -> Callable[..., Any]:
    async def counted(*args: Any) -> Any:
        calls.append(name)
        return await inner(*args)

    return counted


@asynccontextmanager
async def open_site(
    folder: Path, environ: dict[str, str] | None = None, clock: Clock | None = None, **given: Any
) -> AsyncIterator[Site]:
    """`given` as `open_harness` takes it: limits, and a keyring."""
    async with open_harness(folder, environ, clock=clock, **given) as harness:
        yield Site(harness)


def phone(typed: str) -> str:
    found = parse_phone(typed)
    assert found
    return found


def email(typed: str) -> str:
    found = parse_email(typed)
    assert found
    return found


def code_of(outcome: Any) -> ProblemCode:
    """Give the reason of a refusal."""
    assert isinstance(outcome, Denied), outcome
    return outcome.code


def waits(outcome: Any) -> int | None:
    """Give the seconds that a refused caller is asked to wait."""
    assert code_of(outcome) is ProblemCode.TOO_MANY_REQUESTS, outcome
    return outcome.retry_after


def denied(code: ProblemCode, **given: Any) -> Denied:
    return Denied(code, **given)
