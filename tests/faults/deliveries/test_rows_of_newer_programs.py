"""A row that this program cannot read, or does not know, stops no other: template, channel, key, shape."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from menshen.adapters.sealing import KeyringSealer
from menshen.app.keys_file import load_keyring
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import MessageState
from menshen.core.time import HOUR, MINUTE, SECOND
from tests.faults.deliveries.counting_vendor import CountingVendor, counting_vendor
from tests.faults.deliveries.outboxes import Ahead, change, post_of, put_codes
from tests.faults.site import Site, settled
from tests.patience import PATIENT

WAITING, SENT, UNREADABLE = MessageState.WAITING, MessageState.SENT, MessageState.UNREADABLE
PHONES = [f"+861380013800{n}" for n in range(3)]


@asynccontextmanager
async def site_with_vendor(folder: Path, url: str = "") -> AsyncIterator[tuple[Site, CountingVendor]]:
    with counting_vendor() as vendor:
        environ = vendor.environ(vendor.table("plain", timeout_seconds=30))
        with settled(folder, url, 1, **PATIENT, **environ) as site:
            yield site, vendor


def sealed(site: Site, text: str) -> str:
    """Return bytes that the installation's keys open, as a literal that both databases read."""
    bits = KeyringSealer(load_keyring(site.settings.keys_path)).seal(text)
    return f"decode('{bits.hex()}', 'hex')" if site.url else f"X'{bits.hex()}'"


def broken(site: Site, how: str) -> str:
    """Return what the first row gets."""
    template = "code_teleport" if how.startswith("code") else "teleported"
    told = '{"channel": "%s", "to": "+8613800138000", "template": "%s", "language": "zh", "created_at": 1}'
    if how in {"code of a newer template", "notice of a newer template"}:
        return f"template = '{template}', body_sealed = {sealed(site, told % ('sms', template))}"
    if how == "channel":
        return f"channel = 'pigeon', body_sealed = {sealed(site, told % ('pigeon', 'code_login'))}"
    if how == "shape":
        return f"body_sealed = {sealed(site, '[]')}"
    nothing = "decode('00', 'hex')" if site.url else "X'00'"
    return f"body_sealed = {nothing}"


KINDS = ["code of a newer template", "notice of a newer template", "channel", "shape", "key"]


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
async def test_the_others_pass(tmp_path: Path, postgres_url: str, store: str) -> None:
    async with site_with_vendor(tmp_path, postgres_url if store == "postgresql" else "") as (site, vendor):
        for how in KINDS:
            (number,) = put_codes(site, PHONES[0])
            change(site, f"UPDATE outbox SET {broken(site, how)} WHERE message_id = {number}")
        put_codes(site, *PHONES[1:])
        assert await states(site) == [WAITING] * 5 + [WAITING] * 2
        async with post_of(site) as post:
            await post.deliver_due()
            # What is deleted with an account is looked for among all of them.
            await post.store.write(lambda tx: tx.outbox.drop_waiting([PHONES[0]]))
        assert await states(site) == [WAITING] * 5 + [SENT] * 2
        await look(site, 2 * MINUTE + SECOND)
        # A newer program may still send its notice, and has the channel alone.
        assert await states(site) == [UNREADABLE, WAITING, WAITING, UNREADABLE, UNREADABLE, SENT, SENT]
        await look(site, HOUR + SECOND)
        assert await states(site) == [UNREADABLE, UNREADABLE, WAITING, UNREADABLE, UNREADABLE, SENT, SENT]
        assert sorted(vendor.arrived) == PHONES[1:]
        reasons = site.rows(f"SELECT reason FROM audit WHERE tag = '{Tag.MESSAGE_UNREADABLE.value}'")
        assert sorted(int(reason) for (reason,) in reasons) == [1, 2, 4, 5]


async def look(site: Site, ahead: int) -> None:
    async with post_of(site, Ahead(ahead)) as post:
        await post.deliver_due()


async def states(site: Site) -> Sequence[MessageState]:
    async with post_of(site) as post:
        return [one.state for one in await post.store.read.outbox.list_all()]
