"""From settings to use cases: adapters are opened here, and ports bound into flows, nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import TypeVar, cast

from menshen.adapters.blocklist import CommonPasswords, NoBlocklist
from menshen.adapters.captcha.image import ImageCaptchaArtist
from menshen.adapters.captcha.proof_of_work import ProofOfWorkCaptcha
from menshen.adapters.delivery.outbox import OutboxSender
from menshen.adapters.hashing.argon2id import Argon2idHasher, Parameters
from menshen.adapters.sealing import KeyringSealer
from menshen.adapters.storage.cached_checks import Bell, CachedStore, CheckCache
from menshen.adapters.storage.changes import TellingStore
from menshen.app.keys_file import keys_of_now
from menshen.app.settings.reader import Settings, policy_of
from menshen.app.telemetry.metrics import REVOCATION_LAG, instrument
from menshen.app.telemetry.tracing import find_tracer
from menshen.core.codes.messages import Channel
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, Problem
from menshen.flows.account import lookups, register
from menshen.flows.account.change_identifier import bind
from menshen.flows.account.change_password import change_password
from menshen.flows.account.edit_profile import edit_profile
from menshen.flows.account.reset_password import reset_password
from menshen.flows.apps.lookup import app_by_host, app_by_key, serves_host
from menshen.flows.background.hash_costs import HashWatch
from menshen.flows.catalog import Flows
from menshen.flows.codes import verify as verify_code
from menshen.flows.codes.send import send_code
from menshen.flows.gates import captcha
from menshen.flows.gates.concurrency import AttemptGate
from menshen.flows.gates.network_lists import behind_gate
from menshen.flows.login.code import login_code
from menshen.flows.login.password import login_password
from menshen.flows.login.refresh import refresh
from menshen.flows.login.sign_up import sign_up
from menshen.flows.sessions import check as authenticate
from menshen.flows.sessions import manage as manage_sessions
from menshen.ports.delivery import Sender
from menshen.ports.sealing import Sealer
from menshen.ports.store.sessions import TokenMemory
from menshen.ports.store.store import Store
from menshen.ports.world import World

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Assembled:
    """A running installation, without its wire."""

    flows: Flows
    store: CachedStore
    hasher: Argon2idHasher
    world: World
    keyring: Keyring
    policy: Policy
    senders: Mapping[Channel, Sender]
    hash_watch: HashWatch


async def open_store(settings: Settings, sealer: Sealer) -> TellingStore:
    """The database of the settings, brought to today's schema.

    Raises:
        Problem: UNAVAILABLE, when it cannot be opened.
        SchemaTooNewError: it belongs to a newer program.
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
    """As `open_store`, for a process that serves: its token checks are remembered. `bell` as `assemble`."""
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


def senders_of(settings: Settings) -> dict[Channel, Sender]:
    """Who carries what."""
    senders: dict[Channel, Sender] = {Channel.SMS: OutboxSender(), Channel.EMAIL: OutboxSender()}
    if settings.sms.sender == "webhook":
        from menshen.adapters.delivery.webhook import WebhookSender, WebhookSettings

        senders[Channel.SMS] = WebhookSender(WebhookSettings(settings.sms.webhook_url, settings.sms.webhook_secret))
    if settings.email.sender == "smtp":
        from menshen.adapters.delivery.smtp import SmtpSender, SmtpSettings

        mail = settings.email
        senders[Channel.EMAIL] = SmtpSender(
            SmtpSettings(
                mail.smtp_host, mail.smtp_port, mail.smtp_from, mail.smtp_user, mail.smtp_password, mail.smtp_tls
            )
        )
    return senders


@asynccontextmanager
async def assemble(
    settings: Settings, keyring: Keyring, world: World, bell: Bell | None = None
) -> AsyncIterator[Assembled]:
    """Everything opened and bound, and closed again at the end. Raises as `open_store`.

    `bell` is what the workers of one parent share, None where there is one alone.
    """
    sealer = KeyringSealer(keyring, lambda: keys_of_now(settings, world, keyring))
    store = await open_serving_store(settings, sealer, world, bell)
    cost = Parameters(settings.hash.memory_kib, settings.hash.passes)
    hasher = Argon2idHasher(
        cost,
        threads=settings.hash.threads,
        queue=settings.hash.queue,
        elapsed_ms=world.elapsed_ms,
        worked_ms=world.worked_ms,
    )
    hash_watch = HashWatch(store=store, hasher=hasher, world=world)
    # Before the first login; a database that takes no writes now is written to by the next round.
    with suppress(Problem):
        await hash_watch.look()
    touches = authenticate.Touches(store)
    policy = policy_of(settings)
    # What waits to be judged is counted over all processes: where there are several, each lets fewer through.
    alone = settings.server.workers == 1 and settings.sqlite_path is not None
    attempt_gate = AttemptGate(account=2 if alone else 1, network=max(1, 8 // settings.server.workers))
    flows = bind_flows(
        store=store,
        memory=store.memory,
        hasher=hasher,
        world=world,
        keyring=keyring,
        policy=policy,
        touches=touches,
        attempt_gate=attempt_gate,
    )
    flows = instrument(flows, find_tracer())
    try:
        yield Assembled(flows, store, hasher, world, keyring, policy, senders_of(settings), hash_watch)
    finally:
        await touches.close()
        hasher.close()
        await store.close()


def bind_flows(
    *,
    store: Store,
    memory: TokenMemory,
    hasher: Argon2idHasher,
    world: World,
    keyring: Keyring,
    policy: Policy,
    touches: authenticate.Touches,
    attempt_gate: AttemptGate,
) -> Flows:
    """The catalogue with every port in its place."""
    ports = {
        "store": store,
        "memory": memory,
        "hasher": hasher,
        "world": world,
        "keyring": keyring,
        "policy": policy,
        "touches": touches,
        "attempt_gate": attempt_gate,
        "blocklist": CommonPasswords() if policy.password_blocklist else NoBlocklist(),
        "captcha": ProofOfWorkCaptcha(keyring, policy.captcha_cost),
        "artist": ImageCaptchaArtist(),
    }

    def bound(flow: Callable[..., T]) -> Callable[..., T]:
        """The flow with the ports that its signature names: its keyword-only arguments without a default."""
        wanted = [
            p.name for p in signature(flow).parameters.values() if p.kind is p.KEYWORD_ONLY and p.default is p.empty
        ]
        return partial(flow, **{name: ports[name] for name in wanted})

    def gated(flow: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T | Denied]]:
        """`bound`, for what anybody may ask without a session."""
        return behind_gate(bound(flow), policy.networks)

    return Flows(
        policy=policy,
        now=world.now,
        csrf_fits=keyring.csrf_fits,
        app_by_host=bound(app_by_host),
        serves_host=bound(serves_host),
        app_by_key=bound(app_by_key),
        check_token=bound(authenticate.check_token),
        recall_token=bound(authenticate.recall_token),
        authenticate=bound(authenticate.authenticate),
        crowded=lambda _: hasher.full,
        login_password=gated(login_password),
        login_code=gated(login_code),
        refresh=bound(refresh),
        send_code=gated(send_code),
        verify_code=gated(verify_code.verify_code),
        use_code=gated(verify_code.use_code),
        new_challenge=bound(captcha.new_challenge),
        solve_challenge=gated(captcha.solve_challenge),
        spend_captcha=gated(captcha.spend_captcha),
        image_captcha=gated(captcha.image_captcha),
        draw_captcha=gated(captcha.draw_captcha),
        register=gated(register.register),
        sign_up=gated(sign_up),
        exists=gated(lookups.exists),
        taken=gated(lookups.taken),
        change_password=bound(change_password),
        reset_password=gated(reset_password),
        bind=bound(bind),
        edit_profile=bound(edit_profile),
        find_account=bound(lookups.find_account),
        list_sessions=bound(manage_sessions.list_sessions),
        log_out=bound(manage_sessions.log_out),
        end_session=bound(manage_sessions.end_session),
        end_other_sessions=bound(manage_sessions.end_other_sessions),
        ready=store.ready,
    )
