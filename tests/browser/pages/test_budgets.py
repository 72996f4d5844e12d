"""What a page costs: bytes over the wire and requests, at the first look."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.pages.site import Site, looking
from tests.browser.pages.views import VIEWS, View

pytestmark = pytest.mark.pages


@pytest.mark.parametrize("view", [view for view in VIEWS if view.reach is None], ids=lambda view: view.name)
def test_a_page_stays_within_its_budget(view: View, chromium: Browser, site: Site) -> None:
    with looking(chromium, site) as look:
        if view.member:
            look.log_in(site.member)
        wire = look.page.context.new_cdp_session(look.page)
        wire.send("Network.enable")
        wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        spent: dict[str, float] = {}

        def note(event: Any) -> None:
            spent[event["requestId"]] = event["encodedDataLength"]

        wire.on("Network.loadingFinished", note)
        look.page.goto(f"{site.base}{view.path}", wait_until="networkidle")
        assert sum(spent.values()) <= view.bytes, spent
        assert len(spent) <= view.requests, spent
