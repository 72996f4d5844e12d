"""Run the server: a socket, one or several workers on it, and an orderly shutdown.

While PostgreSQL is away at the start, the server listens, is alive but not ready, and tries again. What waiting does
not cure ends the start with a sentence.
(docs/contracts/core.md section 5.3, docs/operate/reliability.md F4, F19.)
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Final

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.adapters.storage.cached_checks import ChangeSignal
from menshen.app.installation.opening import first_app, in_use, open_installation, prepare_folder, read_keys
from menshen.app.process.workers import supervise
from menshen.app.settings.checks import find_app_problems
from menshen.app.settings.reader import Settings, SettingsError
from menshen.core.apps import App
from menshen.core.findings import Finding
from menshen.core.keys import Keyring
from menshen.core.problems import Problem
from menshen.ports.store.store import ReadTx
from menshen.ports.store.unfit import UnfitError
from menshen.ports.world import World
from menshen.wire.http.connection_limits import ConnectionLimits
from menshen.wire.http.plain import answer
from menshen.wire.http.protocol import guarded

BACKLOG: Final = 2048
RETRY_SECONDS: Final = 1.0
REPEAT_SECONDS: Final = 60.0
"""So long the log is silent about a database that is away for the same reason."""

log = structlog.get_logger("menshen.serve")


@dataclass(frozen=True, slots=True)
class Listening:
    """Hold the content of the first message: URL, first app (None while the database is unreachable), and warnings.

    `has_pages` says that the first app has hosted pages.
    """

    url: str
    default_app: App | None = None
    has_pages: bool = False
    warnings: tuple[Finding, ...] = ()


_UNKNOWN: Final = Listening("")
"""While the database cannot be reached."""


@dataclass(frozen=True, slots=True)
class _Site:
    """Hold what all workers share."""

    settings: Settings
    keyring: Keyring
    world: World
    listener: socket.socket
    change_signal: ChangeSignal | None


def serve(settings: Settings, world: World, on_listening: Callable[[Listening], None]) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit code. Call it from the main thread.

    Raises:
        SettingsError: these settings do not work on this machine.
        SchemaTooNewError: the database belongs to a newer program.
        UnfitError: an operator has to change something before the database can be used.
        Problem: UNAVAILABLE, when the SQLite file cannot be opened.
    """
    prepare_folder(settings)
    keyring = read_keys(settings, world)
    listener = _listen(settings.server.host, settings.server.port)
    _raise_file_limit()
    url = _url(listener, settings.server.host)
    with in_use(settings), listener:
        site = _Site(settings, keyring, world, listener, ChangeSignal() if settings.server.workers > 1 else None)
        if settings.server.workers == 1:
            return _work(site, lambda begun: on_listening(replace(begun, url=url)))
        # The workers' counters are in this folder, so that each worker can answer /metrics for all.
        with TemporaryDirectory(prefix="menshen-metrics-") as counts:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts
            on_listening(replace(asyncio.run(_prepare(site)), url=url))
            patience = settings.server.notice_seconds + settings.server.drain_seconds
            # Objects that no process changes stay on memory pages that all processes share.
            gc.freeze()
            return supervise(settings.server.workers, lambda: _forked(site), patience)


async def _prepare(site: _Site) -> Listening:
    """Migrate and make the first app, once before several workers start."""
    try:
        async with open_installation(site.settings, site.world) as here:
            return await _begun(site.settings, here.default_app, here.store.read)
    except Problem as problem:
        if not _is_waited_out(problem, site):
            raise
        return _UNKNOWN


async def _begun(settings: Settings, default_app: App, read: ReadTx) -> Listening:
    """Return what the first message says, but for the URL."""
    apps, rp_ids, pages = await read.apps.list_all(), await read.passkeys.rp_ids(), await read.app_pages.list_all()
    has_pages = default_app.app_id in pages and pages[default_app.app_id].on
    return Listening("", default_app, has_pages, tuple(find_app_problems(settings, apps, rp_ids, pages)))


def _is_waited_out(problem: Problem, site: _Site) -> bool:
    """Say whether a start goes on without its database. Nothing that is wrong with a file ends by itself."""
    return site.settings.sqlite_path is None and not isinstance(problem, UnfitError)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        # The number of a failed name look-up is no errno.
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise SettingsError(f"cannot listen on {host} port {port}: {why}") from None


def _url(listener: socket.socket, host: str) -> str:
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _raise_file_limit() -> None:
    """Raise the limit of open files as far as the machine allows. The soft limit is often 1024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


# --- one worker -------------------------------------------------------------------------------------------------------


class DrainingServer(uvicorn.Server):
    """Extend uvicorn: announce a shutdown before it begins. A second signal or the parent's end stops it at once."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_started: Callable[[], None],
        parent: int | None,
        on_notice: Callable[[], None],
        notice_seconds: float,
    ) -> None:
        """Take uvicorn's settings and the callbacks.

        `on_started` is called when the server answers. `parent` is the id of the supervising process, if any.
        `on_notice` is called when a shutdown is requested. The server then goes on for `notice_seconds`.
        """
        super().__init__(config)
        self._on_started = on_started
        self._parent = parent
        self._on_notice = on_notice
        self._notice = notice_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_notice()
        over = asyncio.get_running_loop().time() + self._notice
        while not self.force_exit and (left := over - asyncio.get_running_loop().time()) > 0:  # noqa: ASYNC110 - a signal sets the flag
            await asyncio.sleep(min(left, 0.1))
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        orphaned = self._parent is not None and os.getppid() != self._parent
        return await super().on_tick(counter) or orphaned

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Only a second signal of the same number counts: Ctrl-C at a terminal sends SIGINT to workers, and their
        # parent then sends SIGTERM.
        if sig in self._captured_signals:
            self.force_exit = True
        super().handle_exit(sig, frame)


class _AppSwitch:
    """Forward to the current ASGI application: first one that is not ready, then the assembled one."""

    def __init__(self) -> None:
        self.app: ASGIApp = _not_ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def give_notice(self) -> None:
        """Answer /readyz with 503 from now on. All other paths are answered as before."""
        inner = self.app

        async def shutting_down(scope: Scope, receive: Receive, send: Send) -> None:
            ready = scope["type"] == "http" and scope["path"] == "/readyz"
            await (_not_ready if ready else inner)(scope, receive, send)

        self.app = shutting_down


async def _not_ready(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http" and scope["path"] == "/livez":
        await answer(send, 200, b"ok\n")
    elif scope["type"] == "http":
        await answer(send, 503, b"not ready\n", headers=[(b"retry-after", b"1")])


_OnStarted = Callable[[Listening], None]


def _forked(site: _Site) -> int:
    try:
        return _work(site, parent=os.getppid())
    except Exception:
        log.exception("worker.failed")
        return 1


def _work(site: _Site, on_started: _OnStarted | None = None, parent: int | None = None) -> int:
    # uvicorn raises its signal again after the shutdown, when no work is left to interrupt.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_answer_requests(site, on_started, parent))


def _exit(number: int, _: FrameType | None) -> None:
    sys.exit(0)


async def _answer_requests(site: _Site, on_started: _OnStarted | None, parent: int | None) -> int:
    switch = _AppSwitch()
    async with AsyncExitStack() as stack:
        try:
            assembled = await _assemble(site, stack, switch)
        except Problem as problem:
            # A worker that takes the place of one that died ends nothing: the others may be serving.
            if not _is_waited_out(problem, site) and (parent is None or site.settings.sqlite_path is not None):
                raise
            log.warning("database.unavailable", detail=str(problem))
            assembled = None

        def announce() -> None:
            if on_started is not None:
                on_started(assembled or _UNKNOWN)

        # The command line turned the collector off for the start. Loaded objects are left out of later collections.
        gc.freeze()
        gc.enable()
        notice = site.settings.server.notice_seconds
        server = DrainingServer(_uvicorn(switch, site.settings), announce, parent, switch.give_notice, notice)
        ends = parent is None
        opening = None if assembled else asyncio.create_task(_open_later(site, stack, switch, server, ends=ends))
        try:
            with suppress(SystemExit):
                await server.serve(sockets=[site.listener])
        finally:
            if opening is not None:
                opening.cancel()
                await asyncio.wait([opening])
        if opening is not None and not opening.cancelled() and isinstance(opening.exception(), UnfitError):
            await opening
        return int(opening is not None and not opening.cancelled() and opening.exception() is not None)


def _connection_limits(settings: Settings) -> ConnectionLimits:
    server = settings.server
    # Behind a proxy all connections come from the proxy's address.
    per_address = 0 if server.trusted_proxies else server.connections_per_ip
    return ConnectionLimits(server.connections, per_address, server.requests)


def _uvicorn(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http=guarded(_connection_limits(settings)),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        workers=1,
        backlog=BACKLOG,
        timeout_keep_alive=settings.server.keep_alive_seconds,
        timeout_graceful_shutdown=settings.server.drain_seconds,
    )


async def _assemble(site: _Site, stack: AsyncExitStack, switch: _AppSwitch) -> Listening:
    """Assemble the application and switch to it. Return what the first message says, but for the URL."""
    from menshen.app.asgi import background, create_asgi
    from menshen.app.assemble import assemble

    async with AsyncExitStack() as trying:
        assembled = await trying.enter_async_context(
            assemble(site.settings, site.keyring, site.world, site.change_signal)
        )
        default_app = await first_app(assembled.store, site.world)
        begun = await _begun(site.settings, default_app, assembled.store.read)
        await trying.enter_async_context(background(assembled, site.settings))
        switch.app = create_asgi(assembled, site.settings)
        stack.push_async_exit(trying.pop_all())
    return begun


async def _open_later(
    site: _Site, stack: AsyncExitStack, switch: _AppSwitch, server: uvicorn.Server, *, ends: bool
) -> None:
    """Try until the database can be reached, and tell why it cannot: what is new at once, the same once a minute.

    Any other error ends the server. What waiting does not cure does so too where it `ends`.
    """
    told: dict[str, float] = {}
    while True:
        await asyncio.sleep(RETRY_SECONDS)
        try:
            await _assemble(site, stack, switch)
        except Problem as problem:
            if ends and isinstance(problem, UnfitError):
                server.should_exit = True
                raise
            sentence, now = str(problem), asyncio.get_running_loop().time()
            if now - told.get(sentence, -REPEAT_SECONDS) >= REPEAT_SECONDS:
                told[sentence] = now
                log.warning("database.unavailable", detail=sentence)
        except Exception:
            log.exception("start.failed")
            server.should_exit = True
            raise
        else:
            log.info("database.available")
            return
