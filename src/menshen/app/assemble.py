"""Open the adapters that the settings name, and bind ports into flows. No other module does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast

from menshen.adapters.blocklist import CommonPasswords, NoBlocklist
from menshen.adapters.captcha.image import ImageCaptchaArtist
from menshen.adapters.captcha.proof_of_work import ProofOfWorkCaptcha
from menshen.adapters.hashing.argon2id import Argon2idHasher, Parameters
from menshen.adapters.outward.client import HttpOutward
from menshen.adapters.sealing import KeyringSealer
from menshen.adapters.storage.cached_checks import Bell, CachedStore, CheckCache
from menshen.adapters.storage.changes import TellingStore
from menshen.app.binding import bind_flows
from menshen.app.keys_file import keys_of_now
from menshen.app.ports import Ports
from menshen.app.settings.reader import Settings, policy_of
from menshen.app.settings.sections.outward import named_networks
from menshen.app.telemetry.instrument import instrument
from menshen.app.telemetry.metrics import REVOCATION_LAG, TokenChecks
from menshen.app.telemetry.tracing import find_tracer
from menshen.core.codes.messages import Channel
from menshen.core.keys import Keyring
from menshen.core.login.passwords import Blocklist
from menshen.core.policy import Policy
from menshen.core.problems import Problem
from menshen.flows.background.hash_costs import HashWatch
from menshen.flows.catalog import Flows
from menshen.flows.gates.concurrency import AttemptGate
from menshen.flows.sessions.check import Touches
from menshen.ports.delivery import Sender
from menshen.ports.outward import Outward
from menshen.ports.sealing import Sealer
from menshen.ports.world import World


@dataclass(frozen=True, slots=True)
class Assembled:
    """Hold a running installation, without its wire."""

    flows: Flows
    store: CachedStore
    hasher: Argon2idHasher
    world: World
    keyring: Keyring
    policy: Policy
    senders: Mapping[Channel, Sender]
    hash_watch: HashWatch
    token_checks: TokenChecks
    ports: Ports
    """What the flows are bound to."""


async def open_store(settings: Settings, sealer: Sealer) -> TellingStore:
    """Open the database of the settings, and upgrade its schema.

    Raises:
        Problem: UNAVAILABLE, when the database cannot be opened.
        SchemaTooNewError: the database belongs to a newer program.
    """
    if (path := settings.sqlite_path) is not None:
        from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
        from menshen.adapters.storage.sql.schema.migrate import migrate_sqlite

        migrate_sqlite(path, settings.patience)
        return SqliteStore(path, sealer, settings.patience)
    from menshen.adapters.storage.sql.engines.postgres import open_postgres
    from menshen.adapters.storage.sql.schema.migrate import migrate_postgres

    storage = settings.storage
    await migrate_postgres(storage.url, settings.patience)
    return await open_postgres(storage.url, sealer, pool_size=storage.pool_size, patience=settings.patience)


async def open_serving_store(settings: Settings, sealer: Sealer, world: World, bell: Bell | None = None) -> CachedStore:
    """Open the database as `open_store` does, for a server: token checks are remembered. `bell` as in `assemble`."""
    store = await open_store(settings, sealer)
    if settings.sqlite_path is not None:
        from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
        from menshen.adapters.storage.sql.news.file_watch import FileWatch

        cache = CheckCache(bell=bell)
        watch = FileWatch(cast("SqliteStore", store), cache)
        watch.start()
        return CachedStore(store, cache, world, watch.close)
    from menshen.adapters.storage.sql.news.revocations import RevocationFeed

    cache = CheckCache()
    feed = RevocationFeed(settings.storage.url, cache, REVOCATION_LAG.observe, settings.patience)
    feed.start()
    return CachedStore(store, cache, world, feed.close)


def hasher_of(settings: Settings, world: World, *, threads: int) -> Argon2idHasher:
    """Return a hasher of the settings' parameters; `threads` 0 takes one thread for each core."""
    return Argon2idHasher(
        Parameters(settings.hash.memory_kib, settings.hash.passes),
        threads=threads,
        queue=settings.hash.queue,
        elapsed_ms=world.elapsed_ms,
        worked_ms=world.worked_ms,
    )


def blocklist_of(policy: Policy) -> Blocklist:
    """Return the passwords that are refused as too common; none where the policy is off."""
    return CommonPasswords() if policy.password_blocklist else NoBlocklist()


def senders_of(settings: Settings, outward: Outward) -> dict[Channel, Sender]:
    """Return the sender of each channel. The file of each type that the settings name is imported now."""
    return {
        Channel.SMS: settings.sms.chosen[0].build(outward),
        Channel.EMAIL: settings.email.sender.build(outward),
    }


@asynccontextmanager
async def assemble(
    settings: Settings, keyring: Keyring, world: World, bell: Bell | None = None
) -> AsyncIterator[Assembled]:
    """Open and bind all parts, and close them at the end. Raises as `open_store`.

    `bell` is shared by the workers of one parent. It is None for a single process.
    """
    sealer = KeyringSealer(keyring, lambda: keys_of_now(settings, world, keyring))
    store = await open_serving_store(settings, sealer, world, bell)
    hasher = hasher_of(settings, world, threads=settings.hash.threads)
    hash_watch = HashWatch(store=store, hasher=hasher, world=world)
    # It runs before the first login. If the database takes no writes now, the next round writes.
    with suppress(Problem):
        await hash_watch.look()
    touches = Touches(store)
    policy = policy_of(settings)
    # The limit of concurrent attempts holds for all processes together, so each of several admits fewer.
    alone = settings.server.workers == 1 and settings.sqlite_path is not None
    attempt_gate = AttemptGate(account=2 if alone else 1, network=max(1, 8 // settings.server.workers))
    ports = Ports(
        store=store,
        memory=store.memory,
        hasher=hasher,
        world=world,
        keyring=keyring,
        policy=policy,
        touches=touches,
        attempt_gate=attempt_gate,
        blocklist=blocklist_of(policy),
        captcha=ProofOfWorkCaptcha(keyring, policy.captcha_cost),
        artist=ImageCaptchaArtist(),
    )
    token_checks = TokenChecks()
    flows = instrument(bind_flows(ports), token_checks, find_tracer())
    outward = HttpOutward(named_networks(settings.outward))
    senders = senders_of(settings, outward)
    try:
        yield Assembled(flows, store, hasher, world, keyring, policy, senders, hash_watch, token_checks, ports)
    finally:
        await outward.close()
        await touches.close()
        hasher.close()
        await store.close()
