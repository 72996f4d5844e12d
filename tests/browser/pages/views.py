"""Every page that the matrix looks at, fresh and after a mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.browser.pages.site import PASSWORD, Look, Site

Act = Callable[[Look, Site], None]

SMALL: Final = 20_000
"""Most bytes over the wire of a login, sign-up or reset page. (docs/contracts/pages.md section 1.)"""
ACCOUNT: Final = 30_000


@dataclass(frozen=True)
class View:
    """One page: its path, whether a person must be logged in, and what spoils its form, None for a page without one.

    `reach` brings a fresh browser there, None for a page with an address of its own.
    """

    name: str
    path: str
    spoil: Act | None = None
    member: bool = False
    reach: Act | None = None

    @property
    def bytes(self) -> int:
        return ACCOUNT if self.member else SMALL

    @property
    def requests(self) -> int:
        return 9 if self.member else 6


def _press(look: Look, button: str) -> None:
    """Press a button, and wait for what the page says against it."""
    look.page.click(button)
    look.page.wait_for_selector("[role=alert]:visible")


def _fill(look: Look, **fields: str) -> None:
    for name, value in fields.items():
        look.page.fill(f"#{name}", value)
    if look.page.locator("#agree").count():
        look.page.check("#agree")


def _wrong_password(look: Look, site: Site) -> None:
    _fill(look, account="ken_88", password="wrong wrong wrong")
    _press(look, "button.go")


def _wrong_number(look: Look, site: Site) -> None:
    _fill(look, phone="1234")
    _press(look, "button[value=send]:not(.sr)")


def _wrong_address(look: Look, site: Site) -> None:
    _fill(look, email="ken@nowhere")
    _press(look, "button[value=send]:not(.sr)")


def _wrong_account(look: Look, site: Site) -> None:
    _fill(look, account="1234")
    _press(look, "button.go")


def _wrong_change(look: Look, site: Site) -> None:
    _fill(look, old="wrong wrong", password="a new horse battery")
    _press(look, "button.strong")


def _to_step(look: Look, site: Site) -> None:
    look.log_in(site.stepping[0])
    look.page.wait_for_url("**/login/step*")


def _to_recovery(look: Look, site: Site) -> None:
    _to_step(look, site)
    look.open("/login/step?by=recovery")


def _wrong_step(look: Look, site: Site) -> None:
    _fill(look, code="000000")
    _press(look, "button.go")


def _to_authenticator(look: Look, site: Site) -> None:
    look.log_in(site.add_person())
    look.open("/account/security")
    look.page.click("#authenticator button")
    look.page.wait_for_selector("#code")


def _wrong_confirmation(look: Look, site: Site) -> None:
    _fill(look, code="000000")
    _press(look, "button.strong")


def _wrong_proof(look: Look, site: Site) -> None:
    _fill(look, password=f"not {PASSWORD}")
    _press(look, "button.danger")


VIEWS: Final = (
    View("login-sms", "/login?way=sms", _wrong_number),
    View("login-password", "/login?way=password", _wrong_password),
    View("login-email", "/login?way=email", _wrong_address),
    View("signup-phone", "/signup", _wrong_number),
    View("signup-email", "/signup?by=email", _wrong_address),
    View("reset", "/reset", _wrong_account),
    View("step", "/login/step", _wrong_step, reach=_to_step),
    View("step-recovery", "/login/step?by=recovery", _wrong_step, reach=_to_recovery),
    View("logout", "/logout", member=True),
    View("account", "/account", member=True),
    View("devices", "/account/devices", member=True),
    View("devices-others", "/account/devices/others", member=True),
    View("security", "/account/security", member=True),
    View("password", "/account/security/password", _wrong_change, member=True),
    View("phone", "/account/security/phone", _wrong_number, member=True),
    View("email", "/account/security/email", _wrong_address, member=True),
    View("second-step", "/account/security/second-step", member=True),
    View("authenticator", "/account/security/authenticator", _wrong_confirmation, reach=_to_authenticator),
    View("profile", "/account/profile", member=True),
    View("apps", "/account/apps", member=True),
    View("data", "/account/data", member=True),
    View("close", "/account/data/close", _wrong_proof, member=True),
    View("not-me", "/not-me/aaaaaaaaaaaaaaaaaaaaaaaaaa"),
    View("not-found", "/account/nowhere"),
)
