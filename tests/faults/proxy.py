"""A small proxy before PostgreSQL that can be told to misbehave: a black hole, or ends that are gone without a word."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit


class Proxy:
    """Listens on loopback, on a thread of its own. `mood`: "open", or "black hole": accepts, and passes nothing on."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
        self._name, self._user = parts.path.removeprefix("/"), parts.username
        self.mood = "open"
        self.port = 0
        self._era = 0
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"postgresql://{self._user}@127.0.0.1:{self.port}/{self._name}?sslmode=disable"

    def forget(self) -> None:
        """Connections of before lead nowhere from now on; new ones are good."""
        self._era += 1

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ended = asyncio.Event()
        self._started.set()
        await self._ended.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.05)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        back = None
        try:
            there, back = await asyncio.open_unix_connection(self._target)
            await asyncio.gather(self._pass(reader, back, self._era), self._pass(there, writer, self._era))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for side in (writer, back):
                if side is not None:
                    side.transport.abort()
            # The loop closes the sockets a turn later.
            await asyncio.sleep(0)
            self._tasks.discard(task)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, era: int) -> None:
        while data := await source.read(65536):
            while self.mood == "black hole" and era == self._era:  # noqa: ASYNC110 - the mood is set by another thread
                await asyncio.sleep(0.02)
            if era == self._era:
                sink.write(data)
                await sink.drain()
        sink.close()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)


@contextmanager
def through(url: str) -> Iterator[Proxy]:
    """A proxy to the database at `url` while the block runs."""
    proxy = Proxy(url)
    thread = threading.Thread(target=proxy.run, daemon=True)
    thread.start()
    assert proxy._started.wait(60)
    try:
        yield proxy
    finally:
        proxy.end()
        thread.join(60)
