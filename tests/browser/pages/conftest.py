"""Debian's Chromium under Playwright, before one started server whose app `default` has pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.pages.site import Site
from tests.server import running


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("pages") / "data") as server:
        made = Site(server)
        made.dress()
        yield made


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start Debian's own browser. Playwright's is never downloaded."""
    path = shutil.which("chromium")
    assert path, "install Debian's chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()
