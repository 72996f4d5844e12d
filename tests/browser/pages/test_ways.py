"""Whole ways in, as people go them: a code with the captcha's worker, passkeys, two steps."""

from __future__ import annotations

import re
import time
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser

from tests.browser.pages.site import PASSWORD, PHONES, Look, Site, give_second_step, looking

pytestmark = pytest.mark.pages


def messages(site: Site) -> int:
    return site.server.menshen("outbox", "--json").count('"code"')


def test_a_new_number_logs_in_by_a_code_and_the_worker_solves_the_captcha(chromium: Browser, site: Site) -> None:
    phone = str(next(PHONES))
    with looking(chromium, site) as look:
        look.open("/login?way=sms")
        look.page.fill("#phone", phone)
        look.page.check("#agree")
        look.page.click("button[value=send]:not(.sr)")
        look.page.wait_for_selector("#code-sent")
        assert look.page.input_value("#phone") == phone
        before = messages(site)
        # Enter asks for no second message: it counts down.
        look.page.focus("#code")
        with look.page.expect_navigation():
            look.page.keyboard.press("Enter")
        assert messages(site) == before
        look.open("/login?way=sms")
        assert look.page.locator("[data-again]").count()
        assert messages(site) == before
        look.page.fill("#code", site.last_code(phone))
        if look.page.locator("#agree").count() and not look.page.is_checked("#agree"):
            look.page.check("#agree")
        look.page.keyboard.press("Enter")
        look.page.wait_for_url(re.compile("/account"))
        assert not look.complaints


class Authenticator:
    """A virtual authenticator. `present`: somebody touches it at once."""

    def __init__(self, look: Look, **more: Any) -> None:
        self._wire = look.page.context.new_cdp_session(look.page)
        self._wire.send("WebAuthn.enable", {"enableUI": False})
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True, **more,
        }  # fmt: skip
        self._id = self._wire.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def present(self, enabled: bool) -> None:
        self._wire.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self._id, "enabled": enabled})


@pytest.mark.parametrize("by", ["autofill", "button"])
def test_a_passkey_is_added_and_logs_in(by: str, chromium: Browser, site: Site) -> None:
    phone = site.add_person(username=f"key_{by}")
    with looking(chromium, site) as look:
        authenticator = Authenticator(look)
        look.log_in(phone)
        look.open("/account/security")
        look.page.click("#passkeys [data-start]")
        look.page.wait_for_selector(".codes")
        assert look.page.locator(".codes code").count() == 10
        authenticator.present(by == "autofill")
        look.open("/logout")
        look.page.click("main button")
        if by == "button":
            look.page.wait_for_url(re.compile("/login"))
            look.page.wait_for_load_state("networkidle")
            authenticator.present(True)
            look.page.click("form[data-passkey] [data-start]")
        # By autofill, the person chose the suggestion of the account's field.
        look.page.wait_for_url(re.compile("/account"))
        assert f"key_{by}" in look.page.content()
        assert not look.complaints


def test_a_stopped_passkey_says_what_to_do(chromium: Browser, site: Site) -> None:
    with looking(chromium, site) as look:
        Authenticator(look, isUserVerified=False)
        look.open("/login")
        look.page.click("form[data-passkey] [data-start]")
        look.page.wait_for_selector("form[data-passkey] [role=alert]:visible")


def test_two_steps_and_a_trusted_device(chromium: Browser, site: Site) -> None:
    phone = site.add_person()
    secret = give_second_step(site.server, phone, PASSWORD)
    with looking(chromium, site) as look:
        look.log_in(phone)
        look.page.fill("#code", _fresh(secret))
        look.page.check("#trust")
        look.page.click("button.go")
        look.page.wait_for_url(re.compile("/account"))
        look.open("/logout")
        look.page.click("main button")
        look.log_in(phone)
        assert "/account" in look.page.url
        assert not look.complaints


def _fresh(secret: str) -> str:
    """Return the code of the step after this one: the one of this step was used when the app was added."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30)
