"""Notices that wait in the outbox, and what takes their place."""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.account.asks import Edited
from menshen.core.codes.asks import CodeSent
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import Channel, MessageState
from menshen.core.outcomes import Done
from tests.flows.account.calls import bind, change
from tests.flows.account.noticed import changes, dropped, later_code, own, used
from tests.flows.delivery.carriers import Carrier, courier, stored
from tests.flows.site import EMAIL, NEW, OTHER_EMAIL, OTHER_PHONE, PASSWORD, PHONE, Site, open_site

# --- what waits -------------------------------------------------------------------------------------------------------


async def test_a_notice_takes_the_place_of_one_of_its_kind_that_waits(site: Site) -> None:
    await own(site, PHONE)
    await own(site, OTHER_PHONE, name="other")
    await changes(site, 3)
    await changes(site, 1, "other")
    carrier = Carrier()
    await courier(site, carrier).deliver_due()
    assert [one.state for one in await stored(site)] == [
        MessageState.SUPERSEDED, MessageState.SUPERSEDED, MessageState.SENT, MessageState.SENT,
    ]  # fmt: skip
    assert carrier.numbers == [PHONE, OTHER_PHONE]
    # One that was sent is followed by the next.
    mine = await site.login("owner", NEW)
    assert await change(site, mine, NEW, PASSWORD) == Done()
    await courier(site, carrier).deliver_due()
    assert carrier.numbers == [PHONE, OTHER_PHONE, PHONE]


async def test_a_notice_takes_no_place_of_another_kind_or_of_a_code(site: Site) -> None:
    await own(site, PHONE, EMAIL)
    await site.ask_code(PHONE, origin=site.elsewhere())
    mine, code = await site.login("owner"), await later_code(site)
    assert isinstance(await bind(site, mine, OTHER_EMAIL, await mail_code(site)), Edited)
    assert await change(site, mine) == Done()
    assert isinstance(await bind(site, mine, OTHER_PHONE, code), Edited)
    sms = Carrier()
    await courier(site, sms).deliver_due()
    assert sorted((one.message.to, one.message.template.value) for one in sms.handed) == [
        (PHONE, "code_login"), (PHONE, "identifier_changed"), (OTHER_PHONE, "code_bind"),
    ]  # fmt: skip
    mail = Carrier()
    await courier(site, mail, channel=Channel.EMAIL).deliver_due()
    assert [(one.message.to, one.message.template.value) for one in mail.handed] == [
        (OTHER_EMAIL, "code_bind"), (EMAIL, "identifier_changed"), (OTHER_EMAIL, "password_changed"),
        (OTHER_EMAIL, "identifier_changed"),
    ]  # fmt: skip


async def mail_code(site: Site) -> str:
    assert await site.ask_code(OTHER_EMAIL, Purpose.BIND, site.elsewhere()) == CodeSent()
    return (await site.harness.messages())[-1].code


@pytest.mark.attack("OT-25")
async def test_278_changes_in_20_seconds_are_5_notices_and_an_honest_code_leaves_first(folder: Any) -> None:
    async with open_site(folder, password_changes_per_account=1000) as site:
        await own(site, PHONE)
        assert await changes(site, 278, seconds=20 / 278) == [Done()] * 278
        most = site.flows.policy.limits.notices_per_hour
        assert len(await site.harness.messages()) == most == 5
        assert await dropped(site) == ["password_changed:quota"] * (278 - most)
        assert await used(site, "all") == most
        # Somebody else asks for a code, and so does the number's owner.
        for honest in (OTHER_PHONE, PHONE):
            assert await site.ask_code(honest, origin=site.elsewhere()) == CodeSent()
        carrier = Carrier()
        await courier(site, carrier).deliver_due()
        assert [(one.message.to, one.message.template.has_code) for one in carrier.handed] == [
            (OTHER_PHONE, True), (PHONE, True), (PHONE, False),
        ]  # fmt: skip
