"""Build the ASGI application: dialects by prefix, the token check, health, and the background tasks.

The token check is a plain callable without any layer before it, because it runs for every request of every app
behind the server.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

import menshen
from menshen.app.assemble import Assembled
from menshen.app.discovery import document_names, find_dialects, openapi_documents
from menshen.app.settings.reader import Settings
from menshen.app.settings.sections.passkeys import associations_of
from menshen.app.telemetry.metrics import Watch, render
from menshen.app.telemetry.tracing import find_tracer, traced_app
from menshen.core.delivery.receipts import PREFIX as RECEIPTS
from menshen.core.problems import Problem
from menshen.core.time import SECOND
from menshen.flows.background.hash_costs import EVERY_SECONDS as WATCH_HASHES_EVERY
from menshen.flows.delivery.courier import keep_delivering
from menshen.flows.upkeep.sweep import SWEEP_BATCH, clear_epochs, sweep
from menshen.wire.dialect import DialectContext
from menshen.wire.http.host import check_host
from menshen.wire.http.paths import merge_slashes
from menshen.wire.pages import owns
from menshen.wire.pages.gate import pages_app
from menshen.wire.probes.health import health_app
from menshen.wire.probes.metrics import metrics_app
from menshen.wire.probes.reference import reference_app, reference_paths
from menshen.wire.probes.requirements import VERIFY
from menshen.wire.probes.token_check import token_check_app

log = structlog.get_logger("menshen")
DELIVER_EVERY = 1.0
SWEEP_EVERY = 60.0


def create_asgi(assembled: Assembled, settings: Settings) -> ASGIApp:
    """Return the whole application.

    Raises:
        UnknownDialectError: the settings name a dialect that is not there.
    """
    context = DialectContext(
        flows=assembled.flows,
        trusted_proxies=settings.server.trusted_proxies,
        token_bytes=assembled.world.token_bytes,
        cors_origins=frozenset(settings.server.cors_origins),
        cors_headers=settings.server.cors_headers,
    )
    tracer = find_tracer()
    built = []
    for dialect in find_dialects(settings.server.dialects):
        own = replace(context, settings=settings.dialects.get(dialect.name))
        built.append((dialect, traced_app(dialect.build(own), tracer, dialect.name)))
    dialects = [(prefix, answers) for dialect, answers in built for prefix in (dialect.prefix, *dialect.also)]
    # The longest prefix comes first, so that no dialect hides another one below it.
    dialects.sort(key=lambda entry: -len(entry[0]))
    check = token_check_app(assembled.flows)
    health = health_app(assembled.flows)
    metrics = metrics_app(
        partial(render, assembled.token_checks), settings.server.metrics_networks, settings.server.trusted_proxies
    )
    receipts, (stated, statements) = _receipts(assembled, settings), _statements(settings)
    reference = reference_app(partial(openapi_documents, settings.server.dialects), menshen.__version__)
    pages = traced_app(pages_app(context, [dialect for dialect, _ in built]), tracer, "pages")
    documented = reference_paths(document_names(dialect for dialect, _ in built))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        # Only to find the dialect: what follows, and the token check before, know one spelling.
        merged = merge_slashes(path)
        for prefix, dialect in dialects:
            if merged.startswith(prefix) and (len(merged) == len(prefix) or merged[len(prefix)] == "/"):
                await dialect(scope, receive, send)
                return
        if path == "/metrics":
            await metrics(scope, receive, send)
            return
        if receipts is not None and path.startswith(RECEIPTS):
            await receipts(scope, receive, send)
            return
        if owns(merged):
            await pages(scope, receive, send)
            return
        if statements is not None and path in stated:
            await statements(scope, receive, send)
            return
        await (reference if path in documented else health)(scope, receive, send)

    checked = check_host(app, assembled.flows)

    async def entry(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            # The token check refuses what only begins as its path.
            await (check if scope["path"].startswith(VERIFY) else checked)(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    return entry


def _receipts(assembled: Assembled, settings: Settings) -> ASGIApp | None:
    """Return what takes receipts, None where the settings want none. Nothing is imported then."""
    if assembled.receipts is None:
        return None
    from menshen.wire.receipts.pushes import receipts_app

    return receipts_app(assembled.receipts, assembled.flows.now, settings.server.trusted_proxies)


def _statements(settings: Settings) -> tuple[frozenset[str], ASGIApp | None]:
    """Return the paths of what is said of passkeys, and what answers them. Nothing is imported for none."""
    said = associations_of(settings.passkeys)
    paths = frozenset(said.paths())
    if not paths:
        return paths, None
    from menshen.wire.well_known.statements import statements_app

    return paths, statements_app(said)


@contextlib.asynccontextmanager
async def background(
    assembled: Assembled, settings: Settings, watch_hashes_every: float = WATCH_HASHES_EVERY
) -> AsyncIterator[None]:
    """Deliver messages, sweep and watch hash costs while the block runs.

    Every worker does so: a claim gives each message to one of them. `watch_hashes_every` is in seconds.
    """

    async def clean() -> bool:
        days = settings.audit.days
        was, clocks = assembled.clocks.doubted, assembled.clocks
        swept = await sweep(store=assembled.store, world=assembled.world, audit_days=days, clocks=clocks)
        if clocks.doubted:
            log.error("clock.doubted", lead_seconds=clocks.lead // SECOND)
        elif was:
            log.info("clock.believed_again")
        return await clear_epochs(store=assembled.store) is not None or swept >= SWEEP_BATCH

    async def watch_hashes() -> bool:
        await assembled.hash_watch.keep()
        return False

    tasks = [
        *(
            asyncio.create_task(keep_delivering(one, DELIVER_EVERY, _tell), name="deliver")
            for one in assembled.couriers
        ),
        asyncio.create_task(_repeat(clean, SWEEP_EVERY), name="sweep"),
        asyncio.create_task(_repeat(watch_hashes, watch_hashes_every), name="hashes"),
        asyncio.create_task(
            Watch(assembled.store, assembled.hasher, assembled.token_checks, assembled.clocks).keep_reading(),
            name="watch",
        ),
    ]
    try:
        yield
    finally:
        for courier in assembled.couriers:
            courier.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if under_way := sum(courier.under_way for courier in assembled.couriers):
            log.info("delivery.finishing", messages=under_way)
        # What a vendor has already is noted: else it would be unknown for ever.
        await asyncio.gather(*(courier.finish() for courier in assembled.couriers))


async def _repeat(job: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Run `job` every `seconds`, and at once again while it returns true. Faults are logged, and it goes on."""
    while True:
        more = False
        try:
            more = await job()
        except Exception as error:  # noqa: BLE001 - the last resort of a task that must not end
            _tell(error)
        await asyncio.sleep(0 if more else seconds)


def _tell(error: Exception) -> None:
    if isinstance(error, Problem):
        log.warning("background.unavailable", code=error.denied.code.value)
    else:
        # Only the type is logged: a driver's message may quote data.
        log.error("background.fault", kind=type(error).__name__)
