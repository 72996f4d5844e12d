"""Open the adapters that the settings name, and bind ports into flows. No other module does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast

from menshen.adapters.captcha.image import ImageCaptchaArtist
from menshen.adapters.captcha.proof_of_work import ProofOfWorkCaptcha
from menshen.adapters.hashing.argon2id import Argon2idHasher
from menshen.adapters.outward.client import HttpOutward
from menshen.adapters.sealing import KeyringSealer
from menshen.adapters.storage.cached_checks import CachedStore, ChangeSignal, CheckCache
from menshen.app.binding import bind_flows
from menshen.app.discovery import find_dialects
from menshen.app.keys_file import keys_of_now
from menshen.app.parts.captcha_vendors import vendors_of
from menshen.app.parts.factors import factor_kinds, passkey_judge
from menshen.app.parts.passwords import blocklist_of, hasher_of
from menshen.app.parts.receipts import desk_of
from menshen.app.parts.senders import couriers_of
from menshen.app.parts.store import open_store
from menshen.app.ports import Ports
from menshen.app.settings.reader import Settings, policy_of
from menshen.app.settings.sections.outward import named_networks
from menshen.app.settings.texts import texts_of
from menshen.app.telemetry.instrument import instrument
from menshen.app.telemetry.metrics import REVOCATION_LAG, TokenChecks, count_alarms
from menshen.app.telemetry.tracing import find_tracer
from menshen.app.world import SettledWorld, seconds_since_boot
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Problem
from menshen.flows.background.clock import ClockWatch
from menshen.flows.background.hash_costs import HashWatch
from menshen.flows.catalog import Flows
from menshen.flows.delivery.courier import Courier
from menshen.flows.delivery.receipts import ReceiptDesk
from menshen.flows.gates.concurrency import AttemptGate
from menshen.flows.proofs.judging import Judges
from menshen.flows.sessions.check import Touches
from menshen.ports.sealing import Sealer
from menshen.ports.texts import Texts
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
    couriers: Sequence[Courier]
    texts: Texts
    hash_watch: HashWatch
    clocks: ClockWatch
    token_checks: TokenChecks
    ports: Ports
    """What the flows are bound to."""
    receipts: ReceiptDesk | None = None
    """Where vendors push receipts, None where the settings want none."""


async def open_serving_store(
    settings: Settings, sealer: Sealer, world: World, change_signal: ChangeSignal | None = None
) -> CachedStore:
    """Open the database as `open_store` does, but remember token checks. `change_signal` as in `assemble`."""
    store = await open_store(settings, sealer)
    if settings.sqlite_path is not None:
        from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
        from menshen.adapters.storage.sql.news.file_watch import FileWatch

        cache = CheckCache(seconds_since_boot, change_signal)
        watch = FileWatch(cast("SqliteStore", store), cache)
        watch.start()
        return CachedStore(store, cache, world, watch.close)
    from menshen.adapters.storage.sql.news.snapshot_watch import SnapshotWatch

    cache = CheckCache(seconds_since_boot)
    address = settings.storage.direct_url or settings.storage.url
    snapshot_watch = SnapshotWatch(address, cache, REVOCATION_LAG.observe, settings.patience)
    snapshot_watch.start()
    return CachedStore(store, cache, world, snapshot_watch.close)


@asynccontextmanager
async def assemble(
    settings: Settings, keyring: Keyring, world: World, change_signal: ChangeSignal | None = None
) -> AsyncIterator[Assembled]:
    """Open and bind all parts, and close them at the end. Raises as `open_store`.

    `change_signal` is shared by the workers of one parent. It is None for a single process.
    """
    sealer = KeyringSealer(keyring, lambda: keys_of_now(settings, world, keyring))
    store = await open_serving_store(settings, sealer, world, change_signal)
    hasher = hasher_of(settings, world, threads=settings.hash.threads)
    clocks = ClockWatch(store=store, world=world)
    hash_watch = HashWatch(store=store, hasher=hasher, world=world, clocks=clocks)
    # It runs before the first login. If the database takes no writes now, the next round writes.
    with suppress(Problem):
        await clocks.look()
        await hash_watch.look()
    touches = Touches(store, clocks)
    policy = policy_of(settings)
    # The limit of concurrent attempts holds for all processes together, so each of several admits fewer.
    alone = settings.server.workers == 1 and settings.sqlite_path is not None
    attempt_gate = AttemptGate(account=2 if alone else 1, network=max(1, 8 // settings.server.workers))
    outward = HttpOutward(named_networks(settings.outward))
    # SQLite has no instant of its own: the clock is what it is.
    settled = world if settings.sqlite_path is not None else SettledWorld(world, clocks)
    captcha_vendors = vendors_of(settings, outward, settled)
    judges = Judges(keyring, policy, sealer, factor_kinds(), passkey_judge())
    ports = Ports(
        store=store,
        memory=store.memory,
        app_memory=store.apps,
        hasher=hasher,
        world=settled,
        keyring=keyring,
        sealer=sealer,
        policy=policy,
        touches=touches,
        clocks=clocks,
        attempt_gate=attempt_gate,
        blocklist=blocklist_of(policy),
        captcha=ProofOfWorkCaptcha(keyring, policy.captcha_cost),
        captcha_vendors=captcha_vendors,
        artist=ImageCaptchaArtist(),
        factor_kinds=judges.factor_kinds,
        passkey_judge=judges.passkey_judge,
        judges=judges,
    )
    token_checks = TokenChecks()
    served = [dialect.name for dialect in find_dialects(settings.server.dialects)]
    flows = instrument(bind_flows(ports), token_checks, find_tracer(), served)
    store.on_alarms = count_alarms
    texts = texts_of(settings)
    couriers = couriers_of(settings, outward, texts, store=store, world=world, keyring=keyring, clocks=clocks)
    desk = desk_of(settings, outward, store=store, keyring=keyring)

    def wake() -> None:
        for courier in couriers:
            courier.wake()

    store.on_messages = wake
    try:
        yield Assembled(
            flows, store, hasher, world, keyring, policy, couriers, texts, hash_watch, clocks, token_checks, ports, desk
        )
    finally:
        await captcha_vendors.close()
        await outward.close()
        await touches.close()
        hasher.close()
        await store.close()
