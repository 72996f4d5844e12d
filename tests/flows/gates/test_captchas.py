"""Behaviour tests, the passes they earn, and images: bound, counted, good once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from menshen.adapters.captcha.image import ImageCaptchaArtist
from menshen.core.apps import CaptchaRule
from menshen.core.gates.captcha import (
    Action,
    CaptchaImage,
    CaptchaPass,
    CaptchaTicket,
    ImagePresented,
    PassPresented,
    SolvedChallenge,
)
from menshen.core.login.asks import PasswordLogin
from menshen.core.login.outcomes import Granted
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import HOUR, MINUTE, SECOND
from tests.flows.site import AWAY, CAREYSHOP, PASSWORD, WRONG, Site, open_site
from tests.substitutes import Substitute

INVALID, EXPIRED = Denied(ProblemCode.CAPTCHA_INVALID), Denied(ProblemCode.CAPTCHA_EXPIRED)
REQUIRED = Denied(ProblemCode.CAPTCHA_REQUIRED)


async def solved(site: Site, origin: Origin | None = None) -> SolvedChallenge:
    challenge = await site.challenge(origin)
    return SolvedChallenge(site.harness.solve(challenge.as_json()))


async def earn(site: Site, payload: SolvedChallenge | None = None, origin: Origin | None = None) -> Any:
    return await site.flows.captcha.solve_challenge(payload or await solved(site, origin), origin or site.origin())


async def spend(site: Site, presented: Any, action: Action = Action.EXIST, origin: Origin | None = None) -> Any:
    return await site.flows.captcha.spend(presented, action, origin or site.origin())


@pytest.mark.attack("OT-18")
async def test_a_solved_test_earns_a_pass_that_serves_each_action_once(site: Site) -> None:
    got = await earn(site)
    assert isinstance(got, CaptchaPass)
    assert len(got.token) == 26
    presented = PassPresented(got.token)
    for action in Action:
        assert await spend(site, presented, action) == Done()
        assert await spend(site, presented, action) == INVALID
    assert await spend(site, None) == REQUIRED
    for wrong in ("", "x" * 26, got.token.upper(), "\ud800"):
        assert await spend(site, PassPresented(wrong)) == INVALID


@pytest.mark.attack("RACE-10")
async def test_a_test_earns_one_pass_whoever_races(each_site: Site) -> None:
    site = each_site
    payload = await solved(site)
    outcomes = await asyncio.gather(*(earn(site, payload) for _ in range(30)))
    assert [type(outcome) for outcome in outcomes].count(CaptchaPass) == 1
    assert outcomes.count(INVALID) == 29
    got = next(outcome for outcome in outcomes if isinstance(outcome, CaptchaPass))
    spent = await asyncio.gather(*(spend(site, PassPresented(got.token)) for _ in range(30)))
    assert spent.count(Done()) == 1


@pytest.mark.attack("OT-18")
async def test_test_and_pass_are_bound_to_app_and_network(site: Site) -> None:
    app = await site.harness.add_app("second")
    others = [site.origin(AWAY), site.origin(app=app)]
    payload = await solved(site)
    for other in others:
        assert await earn(site, payload, other) == INVALID
    got = await earn(site, payload)
    for other in others:
        assert await spend(site, PassPresented(got.token), origin=other) == INVALID
    assert await spend(site, PassPresented(got.token)) == Done()


@pytest.mark.attack("OT-18", "TK-12")
@pytest.mark.parametrize(("past", "good"), [(-1, True), (0, False)])
async def test_both_live_300_seconds(site: Site, past: int, good: bool) -> None:
    payload = await solved(site)
    site.clock.advance(300 * SECOND + past)
    assert isinstance(await earn(site, payload), CaptchaPass) is good
    got = await earn(site)
    site.clock.advance(300 * SECOND + past)
    assert (await spend(site, PassPresented(got.token)) == Done()) is good


@pytest.mark.parametrize("payload", ["", "x", "e30=", "é", "A" * 10_000, "\ud800"])
async def test_junk_earns_nothing(site: Site, payload: str) -> None:
    assert await earn(site, SolvedChallenge(payload)) == INVALID


async def test_a_challenge_costs_no_state_and_passes_are_counted(folder: Any) -> None:
    async with open_site(folder, solve_per_network=2) as site:
        for _ in range(5):
            await site.flows.captcha.new_challenge(site.origin())
        for _ in range(2):
            assert isinstance(await earn(site), CaptchaPass)
        assert await earn(site) == Denied(ProblemCode.TOO_MANY_REQUESTS, 3600)
        assert isinstance(await earn(site, origin=site.origin(AWAY)), CaptchaPass)


async def test_a_pass_opens_a_login_that_asks_for_one(site: Site) -> None:
    await site.kevin()
    await site.fail(3)
    asked = await site.try_password()
    assert isinstance(asked, Denied)
    assert asked.challenge
    got = await earn(site, SolvedChallenge(site.harness.solve(asked.challenge)))
    assert isinstance(await site.try_password(captcha=PassPresented(got.token)), Granted)


# --- images -----------------------------------------------------------------------------------------------------------


def shop(site: Site, ip: str = "198.51.100.7") -> Origin:
    return site.origin(ip, CAREYSHOP)


async def ticket(site: Site, origin: Origin | None = None) -> str:
    got = await site.flows.captcha.image(origin or shop(site))
    assert isinstance(got, CaptchaTicket), got
    return got.session_id


async def drawn(site: Site, session_id: str) -> str:
    """Give the text of a newly drawn image: what the artist is given."""
    texts: list[str] = []
    artist = ImageCaptchaArtist()

    def draw(text: str) -> bytes:
        texts.append(text)
        return artist.draw(text)

    seen = site.over(artist=Substitute(artist, draw=draw))
    got = await seen.flows.captcha.draw(session_id, shop(site))
    assert isinstance(got, CaptchaImage)
    assert got.png.startswith(b"\x89PNG")
    return texts[0]


async def login(site: Site, session_id: str, answer: str, password: str = PASSWORD) -> Any:
    ask = PasswordLogin("kevin", password, "web", ImagePresented(session_id, answer))
    return await site.flows.login.password(ask, shop(site))


async def test_a_quiet_network_is_asked_for_no_image(site: Site) -> None:
    assert await ticket(site) == ""
    app = await site.harness.change_app(captcha=CaptchaRule.NEVER)
    await site.fail(3, origin=site.origin(app=app))
    assert await ticket(site, site.origin(rules=CAREYSHOP, app=app)) == ""
    app = await site.harness.change_app(captcha=CaptchaRule.ALWAYS)
    assert len(await ticket(site, site.origin(AWAY, CAREYSHOP, app=app))) == 32


async def test_an_image_is_asked_for_where_logins_fail_and_opens_one(site: Site) -> None:
    await site.kevin()
    await site.fail(3)
    session_id = await ticket(site)
    assert len(session_id) == 32
    text = await drawn(site, session_id)
    got = await login(site, session_id, f" {text.upper()}\n")
    assert isinstance(got, Granted)
    assert await login(site, session_id, text) != got


async def test_an_image_has_one_try(site: Site) -> None:
    await site.kevin()
    await site.fail(3)
    session_id = await ticket(site)
    assert await login(site, session_id, "abcd") == EXPIRED
    text = await drawn(site, session_id)
    refused = await login(site, session_id, "no")
    assert refused.code is ProblemCode.CAPTCHA_INVALID
    assert await login(site, session_id, text) == EXPIRED
    assert await login(site, "unknown", text) == EXPIRED


async def test_a_new_drawing_forgets_the_one_before(site: Site) -> None:
    await site.kevin()
    await site.fail(3)
    session_id = await ticket(site)
    older = await drawn(site, session_id)
    newer = await drawn(site, session_id)
    assert older != newer
    assert (await login(site, session_id, older)).code is ProblemCode.CAPTCHA_INVALID


@pytest.mark.parametrize(("past", "good"), [(-1, True), (0, False)])
async def test_an_image_lives_120_seconds(site: Site, past: int, good: bool) -> None:
    await site.kevin()
    await site.fail(3)
    session_id = await ticket(site)
    text = await drawn(site, session_id)
    site.clock.advance(120 * SECOND + past)
    assert isinstance(await login(site, session_id, text), Granted) is good
    session_id = await ticket(site)
    site.clock.advance(120 * SECOND + past)
    got = await site.flows.captcha.draw(session_id, shop(site))
    assert isinstance(got, CaptchaImage) is good


async def test_images_are_counted_by_network(folder: Any) -> None:
    async with open_site(folder, captcha_per_network=3) as site:
        await site.harness.change_app(captcha=CaptchaRule.ALWAYS)
        origin = site.origin(rules=CAREYSHOP, app=site.harness.app)
        first = await ticket(site, origin)
        for _ in range(2):
            assert isinstance(await site.flows.captcha.draw(first, origin), CaptchaImage)
        full = Denied(ProblemCode.TOO_MANY_REQUESTS, 3600)
        assert await site.flows.captcha.draw(first, origin) == full
        assert await site.flows.captcha.image(origin) == full
        site.clock.advance(HOUR)
        assert await ticket(site, origin)


async def test_who_was_asked_for_a_captcha_gets_an_image_next(site: Site) -> None:
    """A login that was stopped tells clients that ask first; they ask before the next one."""
    await site.kevin()
    for n in range(2):
        await site.fail(1, f"nobody{n}", site.origin("203.0.113.1"))
    assert await ticket(site, site.origin("203.0.113.1", CAREYSHOP)) == ""
    await site.fail(3)
    await site.try_password(password=WRONG)
    assert await ticket(site)
    site.clock.advance(15 * MINUTE)
    assert await ticket(site) == ""
