"""Notices of each kind, about factors too, have quotas of their own."""

from __future__ import annotations

from typing import Any

import pytest

from menshen.core.delivery.messages import Template
from menshen.flows.account.notices import notify
from tests.flows.account.noticed import dropped
from tests.flows.site import EMAIL, PHONE, open_site


@pytest.mark.attack("OT-25")
async def test_a_thief_uses_up_no_notice_of_another_kind(folder: Any) -> None:
    """Each kind of notice about factors has its own quota of each channel, so that each of them arrives."""
    kinds = [kind for kind in Template if not kind.has_code]
    assert {Template.FACTOR_ADDED, Template.FACTORS_RESET, Template.RECOVERY_USED} < set(kinds)
    async with open_site(folder, notices_per_hour=2) as site:
        account = await site.kevin()
        ports: dict[str, Any] = {"keyring": site.harness.assembled.keyring, "policy": site.flows.policy}

        async def tell(kind: Template) -> None:
            now = site.clock.now()
            await site.store.write(lambda tx: notify(tx, account.proved, kind, now, origin=site.origin(), **ports))

        for _ in range(3):
            await tell(Template.FACTOR_ADDED)
        assert await dropped(site) == ["factor_added:quota"] * 2
        for kind in kinds:
            if kind is not Template.FACTOR_ADDED:
                await tell(kind)
        assert await dropped(site) == ["factor_added:quota"] * 2
        told = {(one.to, one.template) for one in await site.harness.messages()}
        assert told == {(to, kind) for to in (PHONE, EMAIL) for kind in kinds}
