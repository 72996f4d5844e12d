"""Messages in a site's outbox: put them, look at them, and hand them over by couriers of this process."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass

from menshen.adapters.outward.client import HttpOutward
from menshen.adapters.sealing import KeyringSealer
from menshen.app.keys_file import load_keyring
from menshen.app.parts.senders import couriers_of
from menshen.app.parts.store import open_store
from menshen.app.settings.reader import Settings
from menshen.app.settings.sections.outward import named_networks
from menshen.app.world import SystemWorld
from menshen.core.delivery.messages import Channel, Message, StoredMessage, Template
from menshen.core.time import SECOND, Instant, after
from menshen.flows.background.clock import ClockWatch
from menshen.flows.delivery.courier import Courier
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World
from tests.faults.site import Site

LATER = 60 * SECOND
"""So long after a worker died, what it had begun by a sender of half a minute is given up."""


class Ahead(SystemWorld):
    """This machine, some ms later: what a test would wait for has passed."""

    def __init__(self, ms: int = LATER) -> None:
        self.ms = ms

    def now(self) -> Instant:
        return after(super().now(), self.ms)


def message_to(receiver: str, template: Template = Template.CODE_LOGIN, at: Instant | None = None) -> Message:
    """Make a message, by default a code of now."""
    channel = Channel.EMAIL if "@" in receiver else Channel.SMS
    code = "482913" if template.has_code else ""
    return Message(channel, receiver, template, "zh", SystemWorld().now() if at is None else at, code)


def put(site: Site, *messages: Message) -> list[int]:
    """Queue messages as a flow would, in one transaction, and return their numbers."""

    async def put_each(tx: WriteTx) -> list[int]:
        return [await tx.outbox.put(message) for message in messages]

    return site.with_store(lambda store: store.write(put_each))


def put_codes(site: Site, *receivers: str) -> list[int]:
    """Queue a code for each of these receivers."""
    return put(site, *map(message_to, receivers))


def stored(site: Site) -> dict[str, StoredMessage]:
    """Each message by its receiver."""

    async def read(store: Store) -> list[StoredMessage]:
        return list(await store.read.outbox.list_all(limit=10_000))

    return {one.message.to: one for one in site.with_store(read)}


def change(site: Site, statement: str) -> None:
    """Change rows past the program."""
    if site.url:
        site.run(statement)
        return
    with closing(sqlite3.connect(site.data / "menshen.db", timeout=60)) as file, file:
        file.execute(statement)


def charged(site: Site) -> dict[str, int]:
    """How many messages each sender was charged for, over all days."""
    rows = site.rows("SELECT sender, SUM(messages) FROM sender_days GROUP BY sender")
    return {sender: int(count) for sender, count in rows}


@dataclass
class Post:
    """Couriers of a site, over a store of their own."""

    couriers: Sequence[Courier]
    store: Store

    def of(self, channel: Channel) -> Courier:
        (one,) = [courier for courier in self.couriers if courier._channel is channel]
        return one

    async def put(self, message: Message) -> int:
        """Queue a message."""
        return await self.store.write(lambda tx: tx.outbox.put(message))

    async def deliver_due(self) -> None:
        for courier in self.couriers:
            await courier.deliver_due()


@asynccontextmanager
async def post_of(site: Site, world: World | None = None, *, settings: Settings | None = None) -> AsyncIterator[Post]:
    """Open the couriers of a site as a server does, in this process."""
    settings, world = settings or site.settings, world or SystemWorld()
    keyring = load_keyring(settings.keys_path)
    store = await open_store(settings, KeyringSealer(keyring))
    outward = HttpOutward(named_networks(settings.outward))
    clocks = ClockWatch(store=store, world=world)
    try:
        yield Post(couriers_of(settings, outward, store=store, world=world, keyring=keyring, clocks=clocks), store)
    finally:
        await outward.close()
        await store.close()
