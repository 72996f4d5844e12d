"""AD-8: what was issued before a raise of the epoch opens nothing, while every one of its rows is still there."""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Message
from menshen.core.time import SECOND
from menshen.flows.admin.epoch import clear_all_epochs, raise_epoch
from menshen.flows.upkeep.sweep import clear_epochs, sweep
from menshen.ports.delivery import Accepted, Handover
from tests.harness import Harness
from tests.wire.careyshop.shop import Shop
from tests.wire.weidu.client import PASSWORD, Client, said

PHONE, OTHER = "13544285663", "13800138000"


class Handed:
    """A sender that remembers what it was handed."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, handover: Handover) -> Accepted:
        self.messages.append(handover.message)
        return Accepted()


async def deliver(h: Harness) -> list[Message]:
    sender: Any = Handed()
    await h.deliver(sender)
    handed: list[Message] = sender.messages
    return handed


@pytest.mark.attack("AD-8")
async def test_nothing_of_before_opens_anything(site: Harness) -> None:
    await site.add_account("alice1", PHONE, password=PASSWORD)
    client, shop = Client(site), Shop(site)
    assert (await client.log_in("alice1")).status_code == 200
    pair = await shop.done("login.user.user", username="alice1", password=PASSWORD, platform="web")
    pair = pair["token"]
    code, captcha = await client.code(PHONE)
    unused = await client.captcha()
    challenge = (await client.get("/users/behavior/challenge")).json()

    assert await raise_epoch(store=site.store, world=site.clock) == 2
    site.clock.advance(SECOND)
    assert not await client.alive()
    refreshed = await shop.call("refresh.user.token", token=pair["token"], refresh=pair["refresh"])
    assert refreshed["status"] == 401
    login = {"login_id": PHONE, "sms_code": code}
    for token, word in (
        (captcha, "captcha_invalid"),
        (unused, "captcha_invalid"),
        (await client.captcha(), "wrong_code"),
    ):
        answer = await client.post("/users/mobile/login", **login, captcha_token=token)
        assert said(answer)[1] == word
    solved = site.solve(challenge)
    assert said(await client.post("/users/behavior/verification", captcha_id=solved))[1] == "captcha_invalid"
    answer = await client.post("/users/mobile/sms", mobile=OTHER, captcha_token=unused, purpose="login")
    assert said(answer)[1] == "captcha_invalid"
    assert await deliver(site) == []
    (event,) = [event for event in await site.store.read.audit.list_events() if event.tag is Tag.EPOCH_RAISED]
    assert (event.reason, event.source) == ("2", "admin")

    # The next of everything is good at once.
    assert (await client.log_in_by_code(PHONE)).status_code == 200
    assert await client.alive()
    assert len(await deliver(site)) == 1


@pytest.mark.attack("AD-8")
async def test_the_sweep_goes_on_where_the_command_was_stopped(site: Harness) -> None:
    await site.add_account("alice1", PHONE, password=PASSWORD)
    assert (await Client(site).log_in("alice1")).status_code == 200
    await Client(site).code(PHONE)
    await raise_epoch(store=site.store, world=site.clock)
    assert (await Client(site).log_in("alice1")).status_code == 200
    while await clear_epochs(store=site.store) is not None:
        await sweep(store=site.store, world=site.clock, audit_days=180)
    assert len(await site.store.read.sessions.list_of(1)) == 1
    assert await clear_all_epochs(store=site.store, on_progress=lambda _: None) == 0
    assert await clear_epochs(store=site.store) is None
