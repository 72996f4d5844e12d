"""Pictures that earn a pass: one try each, counted as a test that is handed in, and no more than the easiest pass."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from menshen.adapters.captcha.image import ImageCaptchaArtist
from menshen.core.gates.captcha import (
    IMAGE_LIFETIME,
    Action,
    CaptchaImage,
    CaptchaPass,
    CaptchaTicket,
    ImagePresented,
    PassPresented,
)
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from tests.flows.site import AWAY, Site, open_site
from tests.substitutes import Substitute

INVALID, EXPIRED = Denied(ProblemCode.CAPTCHA_INVALID), Denied(ProblemCode.CAPTCHA_EXPIRED)


async def opened(site: Site, origin: Origin | None = None) -> ImagePresented:
    """A picture that was opened and drawn, and the right answer to it."""
    ticket = await site.flows.captcha.open_image(origin or site.origin())
    assert isinstance(ticket, CaptchaTicket), ticket
    texts: list[str] = []
    artist = ImageCaptchaArtist()

    def draw(text: str) -> bytes:
        texts.append(text)
        return artist.draw(text)

    seen = site.over(artist=Substitute(artist, draw=draw))
    assert isinstance(await seen.flows.captcha.draw(ticket.session_id, origin or site.origin()), CaptchaImage)
    return ImagePresented(ticket.session_id, texts[0])


async def solve(site: Site, presented: ImagePresented, origin: Origin | None = None) -> Any:
    return await site.flows.captcha.solve_image(presented, origin or site.origin())


async def test_a_right_answer_earns_a_pass_for_each_action(site: Site) -> None:
    presented = await opened(site)
    got = await solve(site, ImagePresented(presented.session_id, f" {presented.answer.upper()} "))
    assert isinstance(got, CaptchaPass)
    for action in (Action.SEND_CODE, Action.LOGIN_CODE):
        assert await site.flows.captcha.spend(PassPresented(got.token), action, site.origin()) == Done()
    assert await site.flows.captcha.spend(PassPresented(got.token), Action.SEND_CODE, site.origin()) == INVALID


@pytest.mark.attack("PG-5")
async def test_a_wrong_answer_burns_the_picture(site: Site) -> None:
    presented = await opened(site)
    assert await solve(site, ImagePresented(presented.session_id, "????")) == INVALID
    assert await solve(site, presented) == EXPIRED


@pytest.mark.attack("PG-5")
async def test_of_many_at_once_one_earns_the_pass(each_site: Site) -> None:
    presented = await opened(each_site)
    got = await asyncio.gather(*(solve(each_site, presented) for _ in range(20)))
    assert [isinstance(each, CaptchaPass) for each in got].count(True) == 1
    assert got.count(EXPIRED) == 19


async def test_it_ends_and_belongs_to_its_app_and_network(site: Site) -> None:
    presented = await opened(site)
    app = await site.harness.add_app("other")
    assert await solve(site, presented, site.origin(app=app)) == EXPIRED
    got = await solve(site, presented, site.origin(AWAY))
    assert isinstance(got, CaptchaPass)
    spent = await site.flows.captcha.spend(PassPresented(got.token), Action.SEND_CODE, site.origin())
    assert spent == INVALID
    late = await opened(site)
    site.clock.advance(IMAGE_LIFETIME)
    assert await solve(site, late) == EXPIRED


@pytest.mark.attack("PG-5")
async def test_answers_of_a_network_are_counted_before_they_are_judged(folder: Any) -> None:
    async with open_site(folder, solve_per_network=2) as site:
        pictures = [await opened(site) for _ in range(3)]
        assert await solve(site, ImagePresented(pictures[0].session_id, "????")) == INVALID
        assert isinstance(await solve(site, pictures[1]), CaptchaPass)
        refused = await solve(site, pictures[2])
        assert (refused.code, refused.retry_after) == (ProblemCode.TOO_MANY_REQUESTS, 3600)


async def test_pictures_of_a_network_are_limited(folder: Any) -> None:
    async with open_site(folder, captcha_per_network=1) as site:
        assert isinstance(await site.flows.captcha.open_image(site.origin()), CaptchaTicket)
        refused = await site.flows.captcha.open_image(site.origin())
        assert isinstance(refused, Denied)
        assert refused.code is ProblemCode.TOO_MANY_REQUESTS


async def test_no_picture_stands_in_for_a_vendor(site: Site) -> None:
    presented = await opened(site)
    app = await site.harness.change_app(captcha_vendor="turnstile")
    gone = Denied(ProblemCode.NOT_FOUND)
    assert await site.flows.captcha.open_image(site.origin(app=app)) == gone
    assert await solve(site, presented, site.origin(app=app)) == gone
