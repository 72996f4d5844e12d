"""Every page in each size, theme and language: axe-core finds nothing, nothing complains, nothing scrolls sideways."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.pages.site import DESKTOP, NARROW, PHONE, Look, Site, looking
from tests.browser.pages.views import VIEWS, View

pytestmark = pytest.mark.pages

AXE = Axe()
STATES = [
    pytest.param(view, state, id=f"{view.name}-{state}")
    for view in VIEWS
    for state in ("fresh", "error")
    if state == "fresh" or view.spoil is not None
]


@pytest.fixture(scope="module")
def kept(chromium: Browser, site: Site) -> Any:
    """Return the cookies of a person who is logged in."""
    with looking(chromium, site) as look:
        look.log_in(site.member)
        return look.page.context.storage_state()


@pytest.mark.parametrize("seen_in", [*product(["light", "dark"], ["zh-CN", "en"])], ids="-".join)
@pytest.mark.parametrize(("view", "state"), STATES)
def test_a_page_is_fit_for_everybody(
    view: View, state: str, seen_in: tuple[Any, str], chromium: Browser, site: Site, kept: Any
) -> None:
    theme, language = seen_in
    options: dict[str, Any] = {"color_scheme": theme, "locale": language, "viewport": DESKTOP}
    if view.member:
        options["storage_state"] = kept
    with looking(chromium, site, **options) as look:
        if view.reach is None:
            look.open(view.path)
        else:
            view.reach(look, site)
        if state == "error":
            assert view.spoil is not None
            view.spoil(look, site)
        # A page that is not there says so with 404, which the console repeats.
        look.complaints[:] = [line for line in look.complaints if "404" not in line or view.name != "not-found"]
        assert look.page.locator("html").get_attribute("lang") == language
        for size in (DESKTOP, PHONE):
            look.page.set_viewport_size(size)
            found = AXE.run(look.page).response["violations"]
            assert not found, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
            assert look.sideways() <= 0, size
        look.page.set_viewport_size(NARROW)
        assert look.sideways() <= 0
        _demand_targets(look)
        assert not look.complaints


def _demand_targets(look: Look) -> None:
    """What is pressed is 44 pixels high, or stands in a sentence."""
    look.page.set_viewport_size(PHONE)
    small = look.page.evaluate(
        """() => [...document.querySelectorAll("button, input:not([type=hidden]), select, .btn, .tab, .lang")]
          .filter(e => e.offsetParent && !e.matches(".sr, [type=checkbox], [type=radio]"))
          .map(e => [e.getBoundingClientRect().height, e.outerHTML.slice(0, 120)])
          .filter(([height]) => height < 44)"""
    )
    assert not small, small
