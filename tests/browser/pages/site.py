"""A started server with an app that has pages, people with accounts, and browsers that look at it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import pyotp
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.server import Server

PASSWORD: Final = "correct horse battery"
PHONES: Final = iter(range(13_900_100_000, 13_900_200_000))

PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 900}
NARROW: Final[ViewportSize] = {"width": 320, "height": 256}
"""What 400 % zoom leaves of 1280 pixels. (WCAG 2.2, 1.4.10.)"""


def give_second_step(server: Server, phone: str, password: str) -> str:
    """Add an authenticator app to an account by the users API, turn its second step on, and return the secret."""

    def call(verb: str, path: str, token: str = "", **body: object) -> dict[str, Any]:
        answer = server.call(verb, f"/weidu/api/v1{path}", json.dumps(body), {"Token": token} if token else {})
        assert answer.status == 200, answer.body
        return {**answer.json(), "token": answer.all("Token")}

    (token,) = call("POST", "/users/login", login_id=phone, password=password)["token"]
    secret = str(call("POST", "/users/totp/begin", token)["secret"])
    server.canary.learn("secret of a factor", secret)
    call("POST", "/users/totp", token, code=pyotp.TOTP(secret).now())
    call("PUT", "/users/second_step", token, on=True, confirmed=True)
    return secret


@dataclass
class Site:
    """Hold the server, and what tests do with it."""

    server: Server

    def dress(self) -> None:
        """Give the app a face, as an operator does."""
        self.server.menshen(
            "app", "pages", "default", "--on",
            "--display-name-zh", "云杉商城", "--display-name-en", "Spruce Shop",
            "--slogan-zh", "登录后可同步购物车", "--slogan-en", "Welcome back",
            "--terms-url", "https://spruce.example/terms", "--terms-version", "2026-11",
            "--privacy-url", "https://spruce.example/privacy", "--help-url", "https://spruce.example/help",
            "--icp", "粤ICP备2026012345号-1", "--icp-url", "https://beian.example/",
            "--police", "粤公网安备 44030002000001号", "--police-url", "https://police.example/",
        )  # fmt: skip

    @property
    def base(self) -> str:
        """Return the address by which browsers name the server. Passkeys want a name."""
        return f"http://localhost:{self.server.port}"

    def add_person(self, **more: str) -> str:
        """Add an account with a password and a proved phone, and return its phone."""
        phone = str(next(PHONES))
        options = [word for name, value in more.items() for word in (f"--{name}", value)]
        self.server.menshen(
            "account", "add", "--phone", phone, "--verified", "--password-stdin", *options, stdin=PASSWORD
        )
        return phone

    @cached_property
    def member(self) -> str:
        """Return the phone of the person whose pages the matrix looks at."""
        return self.add_person(username="ken_88", email="ken@mail.example")

    @cached_property
    def stepping(self) -> tuple[str, str]:
        """Return the phone of a person with a second step, and the secret of their authenticator app."""
        phone = self.add_person()
        secret = give_second_step(self.server, phone, PASSWORD)
        return phone, secret

    def last_code(self, to: str) -> str:
        """Return the newest code that was sent to a phone or mailbox."""
        shown = self.server.menshen("outbox", "--json")
        found: list[str] = re.findall(rf'"to": ?"[^"]*{re.escape(to)}"[^}}]*?"code": ?"([0-9]{{6}})"', shown)
        return found[-1]


@dataclass
class Look:
    """Hold one tab, and what it complained about."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen to the console and to errors of scripts."""
        self.page.on("console", lambda line: self._hear(line.type, line.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def open(self, path: str) -> None:
        """Go to a path of the site."""
        self.page.goto(f"{self.base}{path}")

    def log_in(self, account: str, password: str = PASSWORD) -> None:
        """Log in at the page, as a person does."""
        self.open("/login?way=password")
        self.page.fill("#account", account)
        self.page.fill("#password", password)
        if self.page.locator("#agree").count():
            self.page.check("#agree")
        self.page.click("button[value=login]:visible")
        self.page.wait_for_url(re.compile("/account|/login/step"))

    def sideways(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        return int(
            self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") or 0
        )


@contextmanager
def looking(browser: Browser, site: Site, **options: Any) -> Iterator[Look]:
    """Open a tab in a context of its own. Options are those of Playwright's `new_context`."""
    context: BrowserContext = browser.new_context(**options)
    context.set_default_timeout(30_000)
    try:
        yield Look(context.new_page(), site.base)
    finally:
        context.close()
