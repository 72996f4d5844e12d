"""Every page that the matrix looks at, fresh and after a mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.browser.pages.site import Look

Act = Callable[[Look], None]

SMALL: Final = 20_000
"""Most bytes over the wire of a login, sign-up or reset page. (docs/contracts/pages.md section 1.)"""
ACCOUNT: Final = 30_000


@dataclass(frozen=True)
class View:
    """One page: its path, whether a person must be logged in, and what spoils its form, None for a page without one."""

    name: str
    path: str
    spoil: Act | None = None
    member: bool = False
    bytes: int = SMALL
    requests: int = 6


def _wrong_password(look: Look) -> None:
    look.page.fill("#account", "ken_88")
    look.page.fill("#password", "wrong wrong wrong")
    look.page.check("#agree")
    look.page.click("button[value=login]:visible")
    look.page.wait_for_selector("[role=alert]")


def _short_name(look: Look) -> None:
    look.page.fill("#username", "ken")
    look.page.click("form[action='/account/profile'] button")
    look.page.wait_for_selector("[role=alert]")


def _wrong_to_close(look: Look) -> None:
    look.page.fill("#password", "wrong wrong wrong")
    look.page.click("button[value=close]")
    look.page.wait_for_selector("[role=alert]")


VIEWS: Final = (
    View("login-password", "/login?way=password", _wrong_password),
    View("logout", "/logout", member=True),
    View("account", "/account", member=True, bytes=ACCOUNT, requests=9),
    View("account-devices", "/account/devices", member=True, bytes=ACCOUNT, requests=9),
    View("account-profile", "/account/profile", _short_name, member=True, bytes=ACCOUNT, requests=9),
    View("account-apps", "/account/apps", member=True, bytes=ACCOUNT, requests=9),
    View("account-data", "/account/data", member=True, bytes=ACCOUNT, requests=9),
    View("account-close", "/account/data/close", _wrong_to_close, member=True, bytes=ACCOUNT, requests=9),
    View("account-close-code", "/account/data/close?way=code", member=True, bytes=ACCOUNT, requests=9),
)
