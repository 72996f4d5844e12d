"""An app with pages, and people who log in, sign up and reset their password there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from menshen.adapters.captcha.image import ImageCaptchaArtist
from menshen.app.binding import bind_flows
from menshen.core.gates.captcha import CaptchaImage
from menshen.core.networks import scales_of
from menshen.core.rules import Origin
from menshen.wire.pages.call import RULES
from tests.harness import Harness
from tests.substitutes import Substitute
from tests.wire.pages.browsing import Visitor
from tests.wire.pages.members import open_pages

PHONE, OTHER = "13544285663", "13800138000"
EMAIL = "alice@mail.example"
PASSWORD = "correct horse battery"
TERMS = "2026-11"


@dataclass
class Site:
    """Hold the installation, and what people do at its pages."""

    harness: Harness

    async def settle(self, **settings: Any) -> None:
        """Say what the app says about its pages."""
        terms = {
            "terms_url": "https://spruce.example/terms",
            "terms_version": TERMS,
            "privacy_url": "https://s.example/",
        }
        await open_pages(self.harness, **terms | settings)

    async def add_alice(self) -> None:
        """Add the account of PHONE and EMAIL."""
        await self.harness.add_account("alice_1", phone=PHONE, email=EMAIL, password=PASSWORD)

    def visitor(self, ip: str = "127.0.0.1", language: str = "en") -> Visitor:
        """Open a browser without cookies."""
        return Visitor(self.harness.client_from(ip), language)

    async def solved(self, visitor: Visitor) -> str:
        """Solve a test as the script does. Return the field `solution`."""
        answer = await visitor.client.get("/login/challenge")
        return self.harness.solve(answer.json())

    async def ask(self, visitor: Visitor, path: str = "/login?way=sms", **fields: str) -> None:
        """Open a form and ask for a code, with the test solved."""
        if visitor.page.forms == [] or visitor.path != path:
            await visitor.get(path)
        await visitor.submit(do="send", solution=await self.solved(visitor), **fields)

    async def last_code(self) -> str:
        """Return the newest code that was sent."""
        return (await self.harness.messages())[-1].code

    async def enter(self, visitor: Visitor, phone: str = PHONE) -> None:
        """Log in by a code."""
        await self.ask(visitor, phone=phone)
        await visitor.submit(do="login", code=await self.last_code(), agree=TERMS)

    async def read_picture(self, session_id: str) -> str:
        """Draw the picture of a page anew, and return what a person reads in it."""
        texts: list[str] = []
        artist = ImageCaptchaArtist()

        def draw(text: str) -> bytes:
            texts.append(text)
            return artist.draw(text)

        ports = replace(self.harness.assembled.ports, artist=Substitute(artist, draw=draw))
        origin = Origin(self.harness.app, RULES, "127.0.0.1", scales_of("127.0.0.1"))
        assert isinstance(await bind_flows(ports).captcha.draw(session_id, origin), CaptchaImage)
        return texts[0]


def has_session(visitor: Visitor) -> bool:
    """Return whether the browser has a session of the pages."""
    return bool(visitor.cookie("ms_session"))
