"""The process that serves: a socket, one or several workers on it, and an orderly end.

While PostgreSQL cannot be reached at the start, it listens, is alive and not ready, and tries again.
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
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Final

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from menshen.adapters.storage.cached_checks import Bell
from menshen.app.installation.opening import first_app, in_use, open_installation, prepare_folder, read_keys
from menshen.app.process.workers import supervise
from menshen.app.settings.checks import find_app_problems
from menshen.app.settings.reader import Settings, SettingsError
from menshen.core.apps import App
from menshen.core.findings import Finding
from menshen.core.keys import Keyring
from menshen.core.problems import Problem
from menshen.ports.world import World
from menshen.wire.http.plain import answer
from menshen.wire.http.protocol import ConnectionLimits, guarded

BACKLOG: Final = 2048
KEEP_ALIVE_SECONDS: Final = 15
RETRY_SECONDS: Final = 1.0

log = structlog.get_logger("menshen.serve")


@dataclass(frozen=True, slots=True)
class Listening:
    """What the first message tells: where, the first app (None while there is no database), and what to mend."""

    url: str
    default_app: App | None
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Site:
    """What every worker serves with."""

    settings: Settings
    keyring: Keyring
    world: World
    listener: socket.socket
    bell: Bell | None


def serve(settings: Settings, world: World, on_listening: Callable[[Listening], None]) -> int:
    """Serve until SIGTERM or SIGINT; the exit code. Call it from the main thread.

    Raises:
        SettingsError: it cannot serve with these settings on this machine.
        SchemaTooNewError: the database belongs to a newer program.
        Problem: UNAVAILABLE, when the SQLite file cannot be opened.
    """
    prepare_folder(settings)
    keyring = read_keys(settings, world)
    listener = _listen(settings.server.host, settings.server.port)
    _raise_file_limit()
    url = _url(listener, settings.server.host)
    with in_use(settings), listener:
        site = _Site(settings, keyring, world, listener, Bell() if settings.server.workers > 1 else None)
        if settings.server.workers == 1:
            return _work(site, lambda app, warnings: on_listening(Listening(url, app, tuple(warnings))))
        # Where workers keep what they count: whichever is asked for /metrics tells of all.
        with TemporaryDirectory(prefix="menshen-metrics-") as counts:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts
            on_listening(Listening(url, *asyncio.run(_make_whole(site))))
            patience = settings.server.notice_seconds + settings.server.drain_seconds
            # What both sides of a fork never touch again stays one page in memory.
            gc.freeze()
            return supervise(settings.server.workers, lambda: _forked(site), patience)


async def _make_whole(site: _Site) -> tuple[App | None, tuple[Finding, ...]]:
    """Migrations and the first app, once, before several workers start."""
    try:
        async with open_installation(site.settings, site.world) as here:
            return here.default_app, tuple(find_app_problems(site.settings, await here.store.read.apps.list_all()))
    except Problem:
        if site.settings.sqlite_path is not None:
            raise
        return None, ()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        # Of a name that cannot be looked up the number is no errno.
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise SettingsError(f"cannot listen on {host} port {port}: {why}") from None


def _url(listener: socket.socket, host: str) -> str:
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _raise_file_limit() -> None:
    """As many open connections as the machine lets us have: the soft limit is often 1024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


# --- one worker -------------------------------------------------------------------------------------------------------


class DrainingServer(uvicorn.Server):
    """uvicorn, that gives notice before it ends, and goes at once when it is told twice or the parent is gone."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_started: Callable[[], None],
        parent: int | None,
        on_notice: Callable[[], None],
        notice_seconds: float,
    ) -> None:
        """`on_started` is called once it answers; `parent` is the process that watches it, if any.

        `on_notice` is called when it is told to end; for `notice_seconds` it goes on as before.
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
        # Twice the same: a terminal's Ctrl-C reaches workers beside their parent's SIGTERM.
        if sig in self._captured_signals:
            self.force_exit = True
        super().handle_exit(sig, frame)


class _Switchboard:
    """The ASGI application of now: not ready at first, the real one once it is assembled."""

    def __init__(self) -> None:
        self.app: ASGIApp = _not_ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def give_notice(self) -> None:
        """From now on balancers hear that it is not ready; everybody else is answered as before."""
        inner = self.app

        async def leaving(scope: Scope, receive: Receive, send: Send) -> None:
            ready = scope["type"] == "http" and scope["path"] == "/readyz"
            await (_not_ready if ready else inner)(scope, receive, send)

        self.app = leaving


async def _not_ready(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http" and scope["path"] == "/livez":
        await answer(send, 200, b"ok\n")
    elif scope["type"] == "http":
        await answer(send, 503, b"not ready\n", headers=[(b"retry-after", b"1")])


_Told = Callable[[App | None, list[Finding]], None]


def _forked(site: _Site) -> int:
    try:
        return _work(site, parent=os.getppid())
    except Exception:
        log.exception("worker.failed")
        return 1


def _work(site: _Site, on_started: _Told | None = None, parent: int | None = None) -> int:
    # uvicorn gives a signal back after it has drained: by then there is nothing left to interrupt.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_answer_requests(site, on_started, parent))


def _leave(number: int, _: FrameType | None) -> None:
    sys.exit(0)


async def _answer_requests(site: _Site, on_started: _Told | None, parent: int | None) -> int:
    board = _Switchboard()
    async with AsyncExitStack() as stack:
        try:
            told = await _assemble(site, stack, board)
        except Problem as problem:
            if site.settings.sqlite_path is not None:
                raise
            log.warning("database.unavailable", detail=str(problem))
            told = None

        def tell() -> None:
            if on_started is not None:
                on_started(*(told or (None, [])))

        # The command line turned it off for the start; what was loaded is not looked through again.
        gc.freeze()
        gc.enable()
        notice = site.settings.server.notice_seconds
        server = DrainingServer(_uvicorn(board, site.settings), tell, parent, board.give_notice, notice)
        opening = None if told else asyncio.create_task(_open_later(site, stack, board, server))
        try:
            with suppress(SystemExit):
                await server.serve(sockets=[site.listener])
        finally:
            if opening is not None:
                opening.cancel()
                await asyncio.wait([opening])
        return int(opening is not None and not opening.cancelled() and opening.exception() is not None)


def _connection_limits(settings: Settings) -> ConnectionLimits:
    server = settings.server
    # Behind a proxy every connection is the proxy's.
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
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.server.drain_seconds,
    )


async def _assemble(site: _Site, stack: AsyncExitStack, board: _Switchboard) -> tuple[App, list[Finding]]:
    """Put the real application on the board; the first app, and what is odd about the apps."""
    from menshen.app.asgi import background, create_asgi
    from menshen.app.assemble import assemble

    async with AsyncExitStack() as trying:
        assembled = await trying.enter_async_context(assemble(site.settings, site.keyring, site.world, site.bell))
        default_app = await first_app(assembled.store, site.world)
        warnings = find_app_problems(site.settings, await assembled.store.read.apps.list_all())
        await trying.enter_async_context(background(assembled, site.settings))
        board.app = create_asgi(assembled, site.settings)
        stack.push_async_exit(trying.pop_all())
    return default_app, warnings


async def _open_later(site: _Site, stack: AsyncExitStack, board: _Switchboard, server: uvicorn.Server) -> None:
    """Try until the database is there; a fault that waiting does not cure ends the server."""
    while True:
        await asyncio.sleep(RETRY_SECONDS)
        try:
            await _assemble(site, stack, board)
        except Problem as problem:
            log.warning("database.unavailable", detail=str(problem))
        except Exception:
            log.exception("start.failed")
            server.should_exit = True
            raise
        else:
            log.info("database.available")
            return
