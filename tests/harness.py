"""An installation in a temporary folder, with cheap hashes and a clock that tests set.

The real statements, flows and dialects run over a real SQLite file; only time and hash cost are not real.
What is secret in it is searched for at its end, where it must not be (tests/canary.py).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import altcha
import httpx

from menshen.app.asgi import create_asgi
from menshen.app.assemble import Assembled, assemble
from menshen.app.settings.reader import Settings, load_settings
from menshen.app.world import SystemWorld
from menshen.core.account.accounts import Account, NewAccount, Status
from menshen.core.apps import App
from menshen.core.audit.events import Event
from menshen.core.delivery.messages import Message
from menshen.core.identifiers import classify, parse_email, parse_phone, parse_username
from menshen.core.keys import Key, Keyring
from menshen.core.login.passwords import hashable
from menshen.core.time import Instant
from menshen.flows.apps.manage import FIRST_PAGES
from menshen.flows.catalog import Flows
from menshen.ports.store.store import WriteTx
from tests import stores
from tests.canary import RUN, Canary, demand_clean_folder, demand_none, listen_to_the_log, rows_of
from tests.canary_listening import listening, refusals_of
from tests.flows.delivery.couriers import deliver_due
from tests.patience import PATIENT

BASE = "http://127.0.0.1:8400"
# The year 2100: the captcha library judges expiry by the system's clock too, which must not be ahead of this one.
START = Instant(4_102_444_800_000)
KEYRING = Keyring((Key("test", b"k" * 32),), Key("index", b"i" * 32))
CHEAP = {"MENSHEN_HASH__MEMORY_KIB": "64", "MENSHEN_HASH__PASSES": "1", "MENSHEN_TEST_HASH": "1"}


class Clock(SystemWorld):
    """The system's chance, and a time that stands still until it is moved."""

    wrong = 0
    """How far it is from the time that has passed."""

    def __init__(self, at: int = START) -> None:
        self.at = at

    def running_ms(self) -> int:
        return self.at - self.wrong

    def leap(self, ms: int) -> None:
        """Show another time, while none has passed: `advance` lets time pass."""
        self.at += ms
        self.wrong += ms

    def now(self) -> Instant:
        return Instant(self.at)

    def advance(self, ms: int) -> None:
        self.at += ms


@dataclass
class Harness:
    """What a test holds in its hands."""

    assembled: Assembled
    asgi: Any
    clock: Clock
    app: App
    client: httpx.AsyncClient
    data_dir: Path
    canary: Canary = field(default_factory=lambda: Canary(RUN))

    @property
    def flows(self) -> Flows:
        return self.assembled.flows

    @property
    def store(self) -> Any:
        return self.assembled.store

    def client_from(self, ip: str, base_url: str = BASE) -> httpx.AsyncClient:
        """A client whose socket has that address."""
        return _client(self.asgi, ip, base_url)

    async def deliver(self, sender: Any = None, **more: Any) -> int:
        """Hand over what is due by the senders of the settings, or by one of the test. Return how many messages."""
        here = self.assembled
        if sender is None:
            return sum([await courier.deliver_due() for courier in here.couriers])
        more = {"world": self.clock, "keyring": here.keyring, **more}
        return await deliver_due(store=self.store, sender=sender, **more)

    async def add_app(self, name: str, **changes: Any) -> App:
        made = App(
            0, name, changes.pop("appkey", str(20_000_000 + len(name))), changes.pop("secret", "s" * 32), **changes
        )
        self.canary.learn("app secret", made.secret)
        return await self.store.write(lambda tx: tx.apps.add(made))

    async def change_app(self, app: App | None = None, **changes: Any) -> App:
        changed = replace(app or self.app, **changes)
        self.canary.learn("app secret", changed.secret)
        await self.store.write(lambda tx: tx.apps.save(changed))
        if changed.app_id == self.app.app_id:
            self.app = changed
        return changed

    async def add_account(
        self,
        username: str | None = None,
        phone: str | None = None,
        email: str | None = None,
        password: str | None = None,
        *,
        verified: bool = True,
    ) -> Account:
        name = username or f"user{os.urandom(5).hex()}"
        raw = hashable(password) if password else None
        stored = await self.assembled.hasher.hash(raw) if raw else ""
        self.canary.learn("password", password or "")
        self.canary.learn_hash(stored)
        for given in (name, phone, email):
            self.canary.tell(given or "")
        canonical_phone = parse_phone(phone) if phone else None
        canonical_email = parse_email(email) if email else None
        new = NewAccount(
            public_id=os.urandom(13).hex(),
            username=parse_username(name) or name,
            username_shown=name,
            phone=canonical_phone,
            phone_verified=verified and canonical_phone is not None,
            email=canonical_email,
            email_verified=verified and canonical_email is not None,
            password_hash=stored,
            created_at=self.clock.now(),
        )
        return await self.store.write(lambda tx: tx.accounts.add(new))

    async def _owner(self, identifier: str) -> Account:
        known = classify(identifier)
        assert known is not None
        account = await self.store.read.accounts.find_owner(known)
        assert account is not None
        return account

    async def disable(self, identifier: str) -> None:
        account = await self._owner(identifier)
        now = self.clock.now()
        await self.store.write(lambda tx: tx.accounts.set_status(account.number, Status.DISABLED, now=now))

    async def close_account(self, identifier: str) -> None:
        account = await self._owner(identifier)
        now = self.clock.now()

        async def work(tx: WriteTx) -> None:
            await tx.accounts.close(account.number, now=now)
            await tx.sessions.end_all(account.number)

        await self.store.write(work)

    async def messages(self) -> list[Message]:
        messages = [stored.message for stored in await self.store.read.outbox.list_all()]
        for message in messages:
            self.canary.learn("code", message.code)
        return messages

    async def events(self) -> list[Event]:
        return list(await self.store.read.audit.list_events(limit=100_000))

    @staticmethod
    def solve(challenge: dict[str, Any]) -> str:
        """The captcha_id that solves a challenge ({parameters, signature})."""
        asked = altcha.Challenge.from_dict({key: challenge[key] for key in ("parameters", "signature")})
        solution = altcha.solve_challenge(asked)
        assert solution is not None
        return altcha.Payload(asked, solution).to_base64()


def _client(asgi: Any, ip: str, base_url: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(asgi, client=(ip, 40_000), raise_app_exceptions=True)
    return httpx.AsyncClient(transport=transport, base_url=base_url)


def settings_for(data_dir: Path, environ: dict[str, str] | None = None, **limits: Any) -> Settings:
    """Settings with cheap hashes and an easy captcha; keyword arguments are keys of `[limits]`."""
    given = CHEAP | PATIENT | {"MENSHEN_CAPTCHA__COST": "1"} | stores.environment(data_dir) | (environ or {})
    given |= {f"MENSHEN_LIMITS__{name.upper()}": str(value) for name, value in limits.items()}
    return load_settings(None, given, data_dir)


async def _begin_with(tx: WriteTx, first: App, world: Clock) -> App:
    """Store the first app with its pages, as a new installation does."""
    made = await tx.apps.add(first)
    await tx.app_pages.save(made.app_id, FIRST_PAGES, world.now())
    return made


@asynccontextmanager
async def open_harness(
    tmp_path: Path,
    environ: dict[str, str] | None = None,
    *,
    clock: Clock | None = None,
    keyring: Keyring = KEYRING,
    **limits: Any,
) -> AsyncIterator[Harness]:
    """A fresh installation, or the one that `tmp_path` holds already.

    Raises:
        AssertionError: at the end, when a secret stands in a file, a row or a refusal.
    """
    settings = settings_for(tmp_path, environ, **limits)
    world = clock or Clock()
    listen_to_the_log()
    canary, refusals = Canary(RUN), set[str]()
    canary.learn_keys(keyring)
    async with assemble(settings, keyring, world) as bare:
        assembled = replace(bare, flows=listening(bare.flows, canary))
        if settings.sqlite_path is None:
            # The database has the test's time too.
            bare.clocks.hear = lambda _: world.now()
            await bare.clocks.look()
        default = await assembled.store.read.apps.find_by_name("default")
        if default is None:
            first = App(0, "default", "11111111", "0123456789abcdef0123456789abcdef")
            default = await assembled.store.write(lambda tx: _begin_with(tx, first, world))
        canary.learn("app secret", default.secret)
        asgi = refusals_of(create_asgi(assembled, settings), canary, refusals)
        async with _client(asgi, "127.0.0.1", BASE) as client:
            yield Harness(assembled, asgi, world, default, client, tmp_path, canary)
        # Before it is closed: what SQLite writes ahead is in a file of its own until then.
        demand_clean_folder(tmp_path, canary)
    demand_none("a refusal", canary.told("\n".join(refusals)))
    if settings.sqlite_path is None:
        demand_none("a row", canary.found(await rows_of(settings.storage.url)))
