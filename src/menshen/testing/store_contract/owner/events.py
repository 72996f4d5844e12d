"""Test the events that the owner of an account sees."""

from __future__ import annotations

from menshen.core.audit.events import Event, Tag
from menshen.core.time import after
from menshen.testing.store_contract.racing import OpenStore
from menshen.testing.store_contract.records import NOW, settle


class OwnEventsContract:
    """Test `list_of_owner` of `menshen.ports.store.audit`."""

    async def test_the_newest_of_some_kinds_come_oldest_first(self, open_store: OpenStore) -> None:
        store = await open_store()
        alice, bob = await settle(store, "alice"), await settle(store, "bob")
        tags = [Tag.LOGIN_SUCCEEDED, Tag.LOGIN_FAILED, Tag.PASSWORD_CHANGED]
        events = [Event(tags[n % 3], after(NOW, n), alice.number, 1, "weidu", "192.0.2.7") for n in range(12)]
        await store.write(lambda tx: tx.audit.append_all([*events, Event(Tag.LOGIN_FAILED, NOW, bob.number)]))
        read = store.read.audit
        failed = [event for event in events if event.tag is Tag.LOGIN_FAILED]
        assert list(await read.list_of_owner(alice.number, {Tag.LOGIN_FAILED}, limit=9)) == failed
        assert list(await read.list_of_owner(alice.number, {Tag.LOGIN_FAILED}, limit=2)) == failed[-2:]
        two = [event for event in events if event.tag is not Tag.LOGIN_FAILED]
        assert list(await read.list_of_owner(alice.number, {*tags[::2]}, limit=99)) == two
        assert list(await read.list_of_owner(alice.number, {*Tag}, limit=99)) == events
        assert list(await read.list_of_owner(alice.number, set(), limit=99)) == []
        assert list(await read.list_of_owner(alice.number, {Tag.LOGIN_REFUSED}, limit=99)) == []
