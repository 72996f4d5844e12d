"""An account with second factors, and the shortest way through its second step."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any

import cbor2
from pyotp import TOTP

from menshen.core.account.accounts import Account
from menshen.core.factors.asks import FactorProof, SecondStep
from menshen.core.factors.passkeys import Passkey
from menshen.core.factors.recovery_codes import mac_of, read_code, spell_code
from menshen.core.login.outcomes import Granted, LoginOutcome, StepNeeded
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin, StepCarriers
from menshen.core.time import SECOND
from tests.flows.site import Site
from tests.softkey import ORIGIN, SoftKey

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
TICKET_INVALID = Denied(ProblemCode.TICKET_INVALID)


def wrong(left: int) -> Denied:
    return Denied(ProblemCode.WRONG_SECOND_FACTOR, tries_left=left)


@dataclass
class Stepper:
    """The account kevin, who has a second step, at a site."""

    site: Site
    account: Account
    key: SoftKey | None = None
    codes: list[str] = field(default_factory=list)

    async def needed(self, origin: Origin | None = None, **given: Any) -> StepNeeded:
        """The right password: a ticket."""
        got = await self.site.try_password(origin=origin or self.origin(), **given)
        assert isinstance(got, StepNeeded), got
        return got

    def origin(self, *args: Any, browser: bool = False, cookie: str = "", trust: str = "", **given: Any) -> Origin:
        made = self.site.origin(*args, **given)
        return replace(made, step=StepCarriers(browser, cookie, trust, ORIGIN))

    async def step(
        self, needed: StepNeeded | str, factor: str, code: str = "", origin: Origin | None = None, *,
        credential: Any = None, trust: bool = False, node: Site | None = None,
    ) -> LoginOutcome:  # fmt: skip
        ticket = needed if isinstance(needed, str) else needed.ticket
        ask = SecondStep(ticket, FactorProof(factor, code, credential), trust)
        return await (node or self.site).flows.login.second(ask, origin or self.origin())

    async def by_totp(self, needed: StepNeeded, origin: Origin | None = None, **given: Any) -> LoginOutcome:
        return await self.step(needed, "totp", self.totp(), origin, **given)

    async def by_passkey(
        self, needed: StepNeeded, origin: Origin | None = None, *, trust: bool = False, answer: Any = None
    ) -> LoginOutcome:
        assert self.key is not None
        made = await self.site.flows.login.second_options(needed.ticket, origin or self.origin())
        assert not isinstance(made, Denied), made
        self.key.counter += 1
        credential = self.key.get(made.options, **(answer or {}))
        return await self.step(needed, "passkey", origin=origin, credential=credential, trust=trust)

    async def granted(self, outcome: LoginOutcome) -> Granted:
        assert isinstance(outcome, Granted), outcome
        assert await self.site.alive(outcome) == [True]
        return outcome

    async def wrong_codes(self, times: int, needed: StepNeeded, origin: Origin | None = None) -> None:
        for _ in range(times):
            got = await self.step(needed, "totp", self.wrong_totp(), origin)
            assert isinstance(got, Denied), got
            assert got.code is ProblemCode.WRONG_SECOND_FACTOR, got

    def totp(self, steps: int = 0) -> str:
        """The code of an app that is some steps ahead; each step is good once, so it must not stand still."""
        return TOTP(SECRET).at(self.site.clock.now() // SECOND + 30 * steps)

    def wrong_totp(self) -> str:
        near = {self.totp(steps) for steps in (-1, 0, 1)}
        return next(code for code in ("000000", "000001", "000002", "000003") if code not in near)

    def pass_step(self) -> None:
        self.site.clock.advance(30 * SECOND)


async def stepper(site: Site, *, passkey: bool = False, recovery: bool = True, **given: Any) -> Stepper:
    """Kevin with an app of codes and the second step on; with `passkey` he has one, too."""
    return await enrolled(site, await site.kevin(**given), passkey=passkey, recovery=recovery, second_step=True)


async def enrolled(
    site: Site, account: Account, *, passkey: bool = False, recovery: bool = False, second_step: bool = False
) -> Stepper:
    """Give an account an app of codes."""
    ports, number, now = site.harness.assembled.ports, account.number, site.clock.now()
    sealed = ports.sealer.seal_for((str(number), "totp"), SECRET)
    codes = [spell_code(os.urandom(12)) for _ in range(10)] if recovery else []
    key = SoftKey() if passkey else None

    async def enrol(tx: Any) -> None:
        await tx.factors.begin(number, "totp", sealed, now + 1000)
        assert await tx.factors.confirm(number, "totp", sealed, counter=0, now=now)
        macs = [mac_of(ports.keyring, number, read_code(code) or "") for code in codes]
        await tx.recovery_codes.replace(number, macs, now)
        if key:
            key.handle = await tx.passkeys.keep_handle(number, os.urandom(32))
            added = Passkey(
                passkey_id=os.urandom(8).hex(), account_number=number, credential=key.credential,
                public_key=cbor2.dumps(key.public), rp_id="login.example", name="key", counter=0, synced=False,
                backed_up=False, step_only=False, transports="internal", created_at=now,
            )  # fmt: skip
            assert await tx.passkeys.add(added)
        await tx.accounts.change_factors(number, now=now, second_step=second_step or None)

    await site.store.write(enrol)
    return Stepper(site, await site.account(account), key, codes)


async def sms_code(site: Site, needed: StepNeeded, origin: Origin) -> str:
    """A code for a ticket that arrived."""
    sent = await site.flows.login.second_code(needed.ticket, origin)
    assert not isinstance(sent, Denied), sent
    return (await site.harness.messages())[-1].code
