"""People with an authenticator app: enrol it, and read its codes."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from pyotp import TOTP

from menshen.core.apps import App
from menshen.core.factors.asks import Enrolment
from menshen.core.factors.outcomes import Begun, Enrolled
from menshen.core.factors.passkeys import Passkey
from menshen.core.login.outcomes import Granted, StepNeeded
from menshen.core.rules import Origin, StepCarriers
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import SECOND, Instant
from tests.flows.site import Site

STEP = 30 * SECOND
KIND = "totp"


@dataclass(frozen=True)
class Phone:
    """An app with one secret, and the clock of the site. `codes` are the recovery codes that came with it."""

    site: Site
    secret: str
    codes: tuple[str, ...] = ()

    def code(self, steps: int = 0) -> str:
        """The code that it shows so many steps later."""
        return TOTP(self.secret).at((self.site.clock.now() + steps * STEP) // SECOND)

    def wrong(self) -> str:
        """Six digits that are none of its codes near now."""
        near = {self.code(steps) for steps in range(-3, 4)}
        return next(code for code in ("135790", "246801", "357913", "468024", "579135", "680246", "791357", "802468")
                    if code not in near)  # fmt: skip


async def begin(site: Site, caller: Authenticated, origin: Origin | None = None) -> Phone:
    begun = await site.flows.factors.begin(KIND, caller, origin or site.origin())
    assert isinstance(begun, Begun), begun
    return Phone(site, begun.shown["secret"])


async def confirm(site: Site, phone: Phone, caller: Authenticated, code: str = "") -> Any:
    return await site.flows.factors.confirm(Enrolment(KIND, code or phone.code()), caller, site.origin())


async def enrol(site: Site, caller: Authenticated) -> Phone:
    phone = await begin(site, caller)
    enrolled = await confirm(site, phone, caller)
    assert isinstance(enrolled, Enrolled), enrolled
    return replace(phone, codes=enrolled.recovery_codes)


async def again(site: Site, granted: Granted) -> Authenticated:
    """The caller as the next request finds it: what its session proved meanwhile counts."""
    return await site.caller(granted)


def passkey_of(number: int, name: str = "a", *, step_only: bool = False) -> Passkey:
    """A passkey as its row holds it. No device has it."""
    return Passkey(
        passkey_id=f"id-{name}-{number}", account_number=number, credential=os.urandom(32), public_key=b"key",
        rp_id="login.example", name=name, counter=0, synced=True, backed_up=True, step_only=step_only, transports="",
        created_at=Instant(1),
    )  # fmt: skip


async def ticket(site: Site, origin: Origin | None = None) -> StepNeeded:
    """The ticket of a login by password where a second step is due."""
    needed = await site.try_password(origin=origin)
    assert isinstance(needed, StepNeeded), needed
    return needed


def browser(origin: Origin, cookie: str = "") -> Origin:
    """The same origin, in a browser that has this cookie beside a ticket."""
    return replace(origin, step=StepCarriers(browser=True, cookie=cookie, site="https://login.example"))


async def demand_step(site: Site, **changes: Any) -> App:
    """Let the app ask everybody for two proofs."""
    from menshen.core.apps import SecondFactorRule

    return await site.harness.change_app(**{"second_factor": SecondFactorRule.REQUIRED} | changes)
