"""What a person does without a mouse, without scripts, and after a logout."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from tests.browser.pages.site import PASSWORD, Site, looking

pytestmark = pytest.mark.pages


def test_the_keyboard_alone_logs_in(chromium: Browser, site: Site) -> None:
    phone = site.add_person()
    with looking(chromium, site) as look:
        look.open("/login?way=password")
        keyboard = look.page.keyboard
        for _ in range(40):
            keyboard.press("Tab")
            if look.page.evaluate("document.activeElement.id") == "account":
                break
        keyboard.type(phone)
        keyboard.press("Tab")
        keyboard.type(PASSWORD)
        for _ in range(10):
            keyboard.press("Tab")
            if look.page.evaluate("document.activeElement.id") == "agree":
                keyboard.press("Space")
                break
        keyboard.press("Enter")
        look.page.wait_for_url(re.compile("/account"))
        assert not look.complaints


def test_without_scripts_a_person_logs_in_and_out(chromium: Browser, site: Site) -> None:
    phone = site.add_person()
    with looking(chromium, site, java_script_enabled=False) as look:
        look.log_in(phone)
        look.open("/logout")
        look.page.click("button")
        look.page.wait_for_url(re.compile("/login"))


def test_back_after_a_logout_shows_nothing(chromium: Browser, site: Site) -> None:
    phone = site.add_person(username="back_again")
    with looking(chromium, site) as look:
        look.log_in(phone)
        assert "back_again" in look.page.content()
        look.open("/logout")
        look.page.click("main button")
        look.page.wait_for_url(re.compile("/login"))
        look.page.go_back()
        look.page.go_back()
        look.page.wait_for_load_state()
        assert "back_again" not in look.page.content()
