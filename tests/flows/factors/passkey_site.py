"""The shortest ways to register passkeys and to log in with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from menshen.core.factors.asks import NewPasskey, PasskeyLogin
from menshen.core.factors.outcomes import Enrolled
from menshen.core.factors.passkeys import Passkey, PublicKeyOptions
from menshen.core.login.outcomes import Granted, LoginOutcome
from menshen.core.problems import Denied
from menshen.core.rules import Origin, StepCarriers
from menshen.core.sessions.outcomes import Authenticated
from tests.flows.site import Site
from tests.softkey import ORIGIN, SoftKey

Options = Mapping[str, Any]


def here(site: Site, origin: Origin | None = None, at: str = ORIGIN) -> Origin:
    """A request that names the server by the origin of its page."""
    return replace(origin or site.origin(), step=StepCarriers(site=at))


async def creation(site: Site, caller: Authenticated, origin: Origin | None = None) -> Options:
    made = await site.flows.factors.new_passkey_options(caller, here(site, origin))
    assert isinstance(made, PublicKeyOptions), made
    return made.options


async def enrol(site: Site, caller: Authenticated, key: SoftKey, name: str = "", **changes: Any) -> Enrolled | Denied:
    answer = key.create(await creation(site, caller), **changes)
    return await site.flows.factors.add_passkey(NewPasskey(answer, name), caller, here(site))


async def enrolled(site: Site, caller: Authenticated, key: SoftKey, name: str = "") -> Passkey:
    """Register a key in a session, and return the passkey."""
    got = await enrol(site, caller, key, name)
    assert isinstance(got, Enrolled), got
    assert got.passkey is not None
    for code in got.recovery_codes:
        site.harness.canary.learn("recovery code", code)
    return got.passkey


async def asked(site: Site, origin: Origin | None = None) -> Options:
    made = await site.flows.login.passkey_options(here(site, origin))
    assert isinstance(made, PublicKeyOptions), made
    return made.options


async def answer(site: Site, credential: Mapping[str, Any], origin: Origin | None = None) -> LoginOutcome:
    return await site.flows.login.passkey(PasskeyLogin(credential), here(site, origin))


async def try_key(site: Site, key: SoftKey, origin: Origin | None = None, **changes: Any) -> LoginOutcome:
    return await answer(site, key.get(await asked(site, origin), **changes), origin)


async def login_key(site: Site, key: SoftKey, origin: Origin | None = None, **changes: Any) -> Granted:
    got = await try_key(site, key, origin, **changes)
    assert isinstance(got, Granted), got
    return got
