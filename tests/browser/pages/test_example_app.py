"""The app of docs/clients/pages.md, served from another origin: people log in at the hosted pages, and come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser

from tests.architecture.papers import text_of
from tests.browser.pages.site import PASSWORD, Look, Site, looking
from tests.server import running

pytestmark = pytest.mark.pages

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The origin of the app, on a port of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(EXAMPLES))) as serving:
        Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://localhost:{serving.server_port}"
        serving.shutdown()


@pytest.fixture(scope="module")
def handing_over(tmp_path_factory: pytest.TempPathFactory, shop: str) -> Iterator[Site]:
    """A server whose pages hand logins over to that app, by settings alone."""
    environ = {"MENSHEN_SERVER__CORS_ORIGINS": f'["{shop}"]'}
    with running(tmp_path_factory.mktemp("example") / "data", environ=environ) as server:
        server.menshen("app", "pages", "default", "--session", "cookies", "--origin", shop)
        yield Site(server)


def _address(shop: str, site: Site) -> str:
    return f"{shop}/hosted-pages.html?login={site.base}"


def _arrive(look: Look, address: str) -> str:
    look.page.goto(address)
    look.page.wait_for_selector("p a:visible")
    return look.page.inner_text("#who")


def test_the_page_shows_the_example_as_it_is() -> None:
    assert (EXAMPLES / "hosted-pages.html").read_text("utf-8") in text_of("docs/clients/pages.md")


def test_a_person_logs_in_comes_back_and_logs_out(chromium: Browser, handing_over: Site, shop: str) -> None:
    site, address = handing_over, _address(shop, handing_over)
    site.add_person(username="ken_88")
    with looking(chromium, site) as look:
        assert _arrive(look, address) == "You are not logged in."
        look.page.click("#in")
        look.page.wait_for_url(re.compile("/login"))
        look.open(look.page.url.removeprefix(site.base).replace("/login?", "/login?way=password&"))
        look.page.fill("#account", "ken_88")
        look.page.fill("#password", PASSWORD)
        if look.page.locator("#agree").count():
            look.page.check("#agree")
        look.page.click("button[value=login]:visible")
        look.page.wait_for_url(address)
        look.page.wait_for_selector("#account:visible")
        assert look.page.inner_text("#who") == "Hello, ken_88"

        jar = {cookie["name"]: cookie for cookie in look.page.context.cookies()}
        assert {"menshenAUTHTOKEN", "menshenUSERID", "menshenCSRF", "ms_session"} <= set(jar)
        assert jar["menshenAUTHTOKEN"]["httpOnly"]
        assert jar["menshenAUTHTOKEN"]["value"] not in look.page.url

        # A client of the users API goes on as after its own login: a write with the CSRF value.
        answer = look.page.request.put(
            f"{site.base}/weidu/api/v1/users/update",
            data={"nickname": "Ken"},
            headers={"X-CSRF-Token": jar["menshenCSRF"]["value"]},
        )
        assert answer.json()["user_info"]["nickname"] == "Ken"

        look.page.click("#out")
        look.page.wait_for_url(re.compile("/logout"))
        look.page.click("main button")
        look.page.wait_for_url(address)
        look.page.wait_for_selector("#in:visible")
        assert "menshenAUTHTOKEN" not in {cookie["name"] for cookie in look.page.context.cookies()}


def test_an_origin_that_is_not_listed_is_never_returned_to(chromium: Browser, handing_over: Site) -> None:
    site, phone = handing_over, handing_over.add_person()
    with looking(chromium, site) as look:
        look.open("/login?way=password&next=https://evil.example/")
        assert "evil" not in look.page.content()
        look.page.fill("#account", phone)
        look.page.fill("#password", PASSWORD)
        if look.page.locator("#agree").count():
            look.page.check("#agree")
        look.page.click("button[value=login]:visible")
        look.page.wait_for_url(f"{site.base}/account")
