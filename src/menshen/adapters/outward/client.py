"""Exchange HTTP requests and answers with services outside, over httpx.

httpx is imported at the first exchange: a server that makes no call does not pay for it. Neither URL nor body nor
header is logged. (Decision 0036.)
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from menshen.adapters.outward.address_guard import Resolve, allowed_addresses, resolve_by_system
from menshen.core.networks import NetworkSet
from menshen.ports.outward import MOST_ANSWER, Answer, NotReached, Outcome, Request, Unknown

if TYPE_CHECKING:
    import httpcore
    import httpx

_MOST_CONNECTIONS: Final = 64
_PORTS: Final = {"http": 80, "https": 443}


class _AnswerTooLongError(Exception):
    """Refuse a body that is longer than `MOST_ANSWER`."""


class _Progress:
    """Keep how far one exchange has come, and how long it may still take."""

    def __init__(self, request: Request) -> None:
        """Start its time. Call it inside the event loop."""
        self._start = asyncio.get_running_loop().time()
        self._seconds = request.seconds
        self.deadline = asyncio.timeout_at(self._start + min(request.connect_seconds, request.seconds))
        self.began = False
        self._streams: list[httpcore.AsyncNetworkStream] = []

    async def note(self, event: str, told: Mapping[str, Any]) -> None:
        """Receive an event of httpcore. Any event but those of connecting means that the request may leave now."""
        if event == "connection.connect_tcp.complete":
            self._streams.append(told["return_value"])
        if not self.began and not event.startswith("connection."):
            self.began = True
            self.deadline.reschedule(self._start + self._seconds)

    async def close(self) -> None:
        """Close the sockets. httpcore leaves one open when the time ends during the handshake of TLS."""
        for stream in self._streams:
            await stream.aclose()

    def failure(self, reason: str) -> NotReached | Unknown:
        """Say what a failure means at this moment."""
        return Unknown(reason) if self.began else NotReached(reason)


class HttpOutward:
    """Make HTTP exchanges. Implements `menshen.ports.outward.Outward`; one for each process and event loop."""

    def __init__(
        self,
        networks: NetworkSet | None = None,
        *,
        resolve: Resolve = resolve_by_system,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Open nothing yet.

        `networks` may be reached besides public addresses. `tls` None trusts the roots of the machine.
        """
        self._named = networks or NetworkSet()
        self._resolve = resolve
        self._tls = tls
        self._transport: httpx.AsyncHTTPTransport | None = None
        self._opening = asyncio.Lock()

    async def exchange(self, request: Request) -> Outcome:
        url = urlsplit(request.url)
        if url.scheme not in _PORTS or not url.hostname:
            raise ValueError("an outgoing call needs an http or https address")
        transport = self._transport or await self._open()
        progress = _Progress(request)
        try:
            async with progress.deadline:
                return await self._exchange(transport, request, url, progress)
        except Exception as error:  # noqa: BLE001 - for any error, the moment decides what it means
            return progress.failure(type(error).__name__)
        finally:
            await progress.close()

    async def close(self) -> None:
        """Close what is open."""
        if self._transport is not None:
            await self._transport.aclose()

    async def _open(self) -> httpx.AsyncHTTPTransport:
        async with self._opening:
            if self._transport is None:
                # Importing httpx and reading the roots take a tenth of a second, which requests must not wait for.
                self._transport = await asyncio.to_thread(self._new_transport)
            return self._transport

    def _new_transport(self) -> httpx.AsyncHTTPTransport:
        import httpx

        # The transport alone: the client above it has cookies, redirects, proxies of the environment and a log line.
        # No connection is kept: a kept one can die under a request, and would carry one name's TLS for another's.
        limits = httpx.Limits(max_connections=_MOST_CONNECTIONS, max_keepalive_connections=0)
        return httpx.AsyncHTTPTransport(
            verify=self._tls or ssl.create_default_context(), trust_env=False, limits=limits
        )

    async def _exchange(
        self, transport: httpx.AsyncHTTPTransport, request: Request, url: SplitResult, progress: _Progress
    ) -> Answer:
        addresses = await allowed_addresses(
            url.hostname or "",
            url.port or _PORTS[url.scheme],
            named=self._named,
            own_host=request.own_host,
            resolve=self._resolve,
        )
        connect_seconds = request.connect_seconds / len(addresses)
        for address in addresses[:-1]:
            try:
                return await _ask(transport, _pinned(request, url, address, progress, connect_seconds))
            except Exception:
                # Nothing went to an address that cannot be connected to: the next may have the request.
                if progress.began:
                    raise
        return await _ask(transport, _pinned(request, url, addresses[-1], progress, connect_seconds))


def _pinned(
    request: Request, url: SplitResult, address: str, progress: _Progress, connect_seconds: float
) -> httpx.Request:
    """Make the request that goes to `address`, while TLS and `Host` keep the name."""
    import httpx

    host = url.netloc.rpartition("@")[2]
    return httpx.Request(
        request.method,
        httpx.URL(scheme=url.scheme, host=address, port=url.port),
        # Compressed answers could unpack to any length.
        headers={"Host": host, "Accept-Encoding": "identity", **request.headers},
        content=request.body,
        extensions={
            "sni_hostname": url.hostname,
            "target": ((url.path or "/") + (f"?{url.query}" if url.query else "")).encode("ascii"),
            "timeout": {"connect": connect_seconds},
            "trace": progress.note,
        },
    )


async def _ask(transport: httpx.AsyncHTTPTransport, request: httpx.Request) -> Answer:
    response = await transport.handle_async_request(request)
    async with aclosing(response):
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > MOST_ANSWER:
                raise _AnswerTooLongError
        return Answer(response.status_code, dict(response.headers), bytes(body))
