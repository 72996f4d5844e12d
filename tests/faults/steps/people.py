"""People with second factors at a started site: what their devices hold, and the calls that they make."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cbor2
from pyotp import TOTP

from menshen.adapters.sealing import KeyringSealer
from menshen.app.keys_file import load_keyring
from menshen.app.world import SystemWorld
from menshen.core.apps import SecondFactorRule
from menshen.core.factors.passkeys import Passkey
from menshen.core.factors.recovery_codes import mac_of, read_code, spell_code
from menshen.core.identifiers import Identifier, Kind
from menshen.core.time import MINUTE, after
from menshen.ports.store.store import Store, WriteTx
from tests.canary import RUN
from tests.faults.caller import Caller, CallResult, Fate
from tests.faults.deliveries.outboxes import change
from tests.faults.site import PASSWORD, Site, username
from tests.softkey import SoftKey

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SITE = "https://login.example"
PASSKEYS = {"MENSHEN_PASSKEYS__RP_ID": "login.example", "MENSHEN_PASSKEYS__ORIGINS": f'["{SITE}"]'}
"""Where passkeys are used: what a started site needs in its environment."""


@dataclass
class Person:
    """The owner of account `number`, who asks by `caller`."""

    number: int
    caller: Caller
    codes: list[str] = field(default_factory=list)
    key: SoftKey = field(default_factory=SoftKey)

    def by(self, caller: Caller) -> Person:
        """The same person, who asks another server."""
        return replace(self, caller=caller)

    def totp(self, steps: int = 0, secret: str = SECRET) -> str:
        """The code that the app shows so many steps of 30 s from now."""
        return TOTP(secret).at(SystemWorld().now() // 1000 + 30 * steps)

    def wrong_totp(self, secret: str = SECRET) -> str:
        near = {self.totp(steps, secret) for steps in range(-3, 4)}
        return next(code for code in map("{:06}".format, range(8)) if code not in near)

    async def login(self, **more: Any) -> CallResult:
        """By the password alone."""
        return await self.caller.weidu("/users/login", login_id=username(self.number), password=PASSWORD, **more)

    async def ticket(self, **more: Any) -> str:
        """The right password where a step is due: the ticket."""
        told = await self.login(**more)
        assert told.status == 428, told
        return str(told.body["login_ticket"])

    async def second(self, ticket: str, method: str = "totp", **proof: Any) -> CallResult:
        return await self.caller.weidu("/users/login/second", login_ticket=ticket, method=method, **proof)

    async def options(self, ticket: str = "") -> Any:
        """The options of a passkey, as a step of a ticket or for a login without a name."""
        path, body = ("/users/login/second/options", {"login_ticket": ticket}) if ticket else (
            "/users/passkey/options", {}
        )  # fmt: skip
        told = await self.caller.weidu(path, **body)
        assert told.fate is Fate.DONE, told
        return told.body["public_key"]

    async def credential(self, ticket: str = "") -> Any:
        """What the key answers to new options."""
        return self.key.get(await self.options(ticket))

    async def trust(self) -> str:
        """Log in by a passkey as step, which uses up no code; the token of the trusted device."""
        ticket = await self.ticket()
        told = await self.second(ticket, "passkey", credential=await self.credential(ticket), trust_device=True)
        return trust_in(told)

    async def is_good(self, token: str) -> bool:
        return (await self.caller.check(token)).fate is Fate.DONE


def trust_in(told: CallResult) -> str:
    """The token of a trusted device in the answer to a login."""
    assert told.fate is Fate.DONE, told
    token = str(told.body["trust_token"])
    RUN.learn("trust", token)
    return token


def error_of(told: CallResult) -> str:
    """The word by which a call was refused, "" for one that was done."""
    return "" if told.fate is Fate.DONE else str(told.body["error"])


def give_factors(site: Site, numbers: Sequence[int], ports: Sequence[int]) -> list[Person]:
    """Give accounts an app of codes, a passkey and recovery codes, and turn their second step on."""
    keyring = load_keyring(site.settings.keys_path)
    sealer, now = KeyringSealer(keyring), SystemWorld().now()
    people = [Person(number, Caller(ports), [spell_code(os.urandom(12)) for _ in range(10)]) for number in numbers]
    RUN.learn("secret of a factor", SECRET)

    async def enrol(tx: WriteTx, person: Person) -> None:
        account = await tx.accounts.find_owner(Identifier(Kind.USERNAME, username(person.number)))
        assert account is not None
        number, key = account.number, person.key
        sealed = sealer.seal_for((str(number), "totp"), SECRET)
        await tx.factors.begin(number, "totp", sealed, after(now, MINUTE))
        assert await tx.factors.confirm(number, "totp", sealed, counter=0, now=now)
        for code in person.codes:
            RUN.learn("recovery code", code)
        macs = [mac_of(keyring, number, read_code(code) or "") for code in person.codes]
        await tx.recovery_codes.replace(number, macs, now)
        key.handle = await tx.passkeys.keep_handle(number, os.urandom(32))
        added = Passkey(
            passkey_id=os.urandom(8).hex(), account_number=number, credential=key.credential,
            public_key=cbor2.dumps(key.public), rp_id="login.example", name="key", counter=0, synced=False,
            backed_up=False, step_only=False, transports="internal", created_at=now,
        )  # fmt: skip
        assert await tx.passkeys.add(added)
        await tx.accounts.change_factors(number, now=now, second_step=True)

    async def all_of_them(store: Store) -> None:
        async def work(tx: WriteTx) -> None:
            for person in people:
                await enrol(tx, person)

        await store.write(work)

    site.with_store(all_of_them)
    return people


def require_factors_of_admins(site: Site) -> None:
    """Let the app ask each admin for a second factor. A server that runs already would see it a little later."""

    async def ask(store: Store) -> None:
        app = await store.read.apps.find_by_name("faults")
        assert app is not None
        required = replace(app, second_factor=SecondFactorRule.REQUIRED_FOR, required_for_roles="admin")
        await store.write(lambda tx: tx.apps.save(required))

    site.with_store(ask)


def make_admins(site: Site, numbers: Sequence[int]) -> None:
    """They have no phone either: an enrolment at login would ask for a code by SMS first."""
    names = ", ".join(f"'{username(number)}'" for number in numbers)
    change(site, f"UPDATE accounts SET roles = 'admin', phone = NULL, phone_verified = 0 WHERE username IN ({names})")


def account_number(site: Site, person: Person) -> int:
    return int(site.rows(f"SELECT number FROM accounts WHERE username = '{username(person.number)}'")[0][0])
