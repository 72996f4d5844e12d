"""Tokens of captcha vendors: spent before they are asked about, good once, and never passed by an error."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from menshen.core.codes.asks import CodeSent, SendCode
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.codes.sms_traffic import prefix_of
from menshen.core.gates.captcha import Action, CaptchaPass, PassPresented
from menshen.core.gates.captcha_vendors import Fallback
from menshen.core.identifiers import Kind
from menshen.core.login.outcomes import Granted
from menshen.core.networks import UNKNOWN
from menshen.core.outcomes import Done
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.time import DAY, HOUR, MINUTE, SECOND
from menshen.ports.captcha import Failed, Passed
from menshen.ports.outward import NotReached, Unknown
from tests.flows.gates.vendor_site import (
    NAME,
    FakeVendor,
    VendorSite,
    difficulty,
    harder_test,
    passed,
    until,
    with_vendor,
)
from tests.flows.site import AWAY, PHONE, Site, open_site
from tests.substitutes import Substitute, raising

INVALID, NONE = Denied(ProblemCode.CAPTCHA_INVALID), Denied(ProblemCode.NOT_FOUND)
ERRORS = [Unknown("timeout"), NotReached("connect"), ValueError("canary"), asyncio.CancelledError(), "no verdict"]


async def spend(held: VendorSite, token: str, action: Action = Action.EXIST) -> Any:
    return await held.site.flows.captcha.spend(PassPresented(token), action, held.origin())


# --- the verdict of the vendor ----------------------------------------------------------------------------------------


async def test_a_token_that_the_vendor_accepts_earns_a_pass(site: Site) -> None:
    held = await with_vendor(site)
    got = passed(await held.hand_in("a token"))
    assert len(got.token) == 26
    assert await spend(held, got.token) == Done()
    (asked,) = held.vendor.asked
    assert asked == {
        "payload": "a token",
        "hosts": frozenset({"www.shop.example"}),
        "action": "",
        "client_ip": "198.51.100.7",
        "now": site.clock.now(),
    }
    assert held.results() == ["passed"]


@pytest.mark.attack("CV-6")
async def test_the_vendor_hears_what_the_terms_say(site: Site) -> None:
    hosts = frozenset({"login.example"})
    held = await with_vendor(site, hosts=hosts, action="login", send_ip=False)
    await held.hand_in("a")
    (asked,) = held.vendor.asked
    assert (asked["hosts"], asked["action"], asked["client_ip"]) == (hosts, "login", "")
    held = await with_vendor(site)
    await held.hand_in("b", site.origin(UNKNOWN))
    assert held.vendor.asked[0]["client_ip"] == ""


async def test_a_failed_test_is_refused_and_offers_no_other(site: Site) -> None:
    held = await with_vendor(site, FakeVendor(Failed("expired")))
    assert await held.hand_in() == INVALID
    assert held.results() == ["failed"]


@pytest.mark.attack("CV-1")
@pytest.mark.parametrize("verdict", ERRORS, ids=str)
@pytest.mark.parametrize("fallback", Fallback)
async def test_an_error_is_never_a_pass(site: Site, verdict: Any, fallback: Fallback) -> None:
    held = await with_vendor(site, FakeVendor(verdict), fallback=fallback)
    got = await held.hand_in()
    assert "canary" not in str(held.told)
    if fallback is Fallback.REFUSE:
        assert got == Denied(ProblemCode.UNAVAILABLE)
        return
    challenge = harder_test(got)
    assert difficulty(challenge) == 2
    earned = passed(await held.solve(challenge))
    assert await spend(held, earned.token) == Done()
    # It was asked about the token, and not about the built-in test.
    assert len(held.vendor.asked) == 1


@pytest.mark.attack("CV-1")
async def test_a_vendor_that_forgets_its_time_limit_is_given_up(site: Site) -> None:
    vendor = FakeVendor()
    vendor.hold = asyncio.Event()
    held = await with_vendor(site, vendor, seconds=0.01)
    harder_test(await held.hand_in())
    assert held.results() == ["unknown"]
    assert held.told[0].why == "TimeoutError"


async def test_an_app_whose_vendor_the_settings_lack_has_the_harder_test(site: Site) -> None:
    app = await site.harness.change_app(captcha_vendor="gone")
    held = VendorSite(site, FakeVendor())
    challenge = harder_test(await held.hand_in("token", site.origin(app=app)))
    assert difficulty(challenge) == 2
    assert isinstance(await held.solve(challenge, site.origin(app=app)), CaptchaPass)
    assert (await held.site.challenge()).parameters["data"]["difficulty"] == 2
    assert held.vendor.asked == []


@pytest.mark.parametrize("payload", ["x" * 8192, "\ud800", "a\0b", "[]", "{", '{"a":1}', "e30="])
async def test_any_text_is_a_token_of_the_vendor(site: Site, payload: str) -> None:
    held = await with_vendor(site, FakeVendor(Failed("shape")))
    assert await held.hand_in(payload) == INVALID
    assert [asked["payload"] for asked in held.vendor.asked] == [payload]


async def test_an_app_without_a_vendor_asks_nobody(site: Site) -> None:
    held = await with_vendor(site)
    app = await site.harness.change_app(captcha_vendor="")
    assert await held.hand_in("token", site.origin(app=app)) == INVALID
    assert isinstance(await held.solve((await held.site.challenge()).as_json()), CaptchaPass)
    assert held.vendor.asked == []


# --- spent before it is asked about -----------------------------------------------------------------------------------


@pytest.mark.attack("CV-2")
@pytest.mark.parametrize("verdict", [Passed(), Failed("used"), *ERRORS[:2]], ids=str)
async def test_a_token_is_asked_about_once_whatever_the_vendor_said(site: Site, verdict: Any) -> None:
    held = await with_vendor(site, FakeVendor(verdict))
    await held.hand_in()
    assert await held.hand_in() == INVALID
    assert await held.hand_in(origin=held.origin(AWAY)) == INVALID
    assert len(held.vendor.asked) == 1
    site.clock.advance(10 * MINUTE - 1)
    assert await held.hand_in() == INVALID


@pytest.mark.attack("CV-2")
async def test_a_token_in_another_spelling_is_the_same(site: Site) -> None:
    held = await with_vendor(site)
    token = {"lot_number": "a1", "pass_token": "b2/é"}
    spellings = [
        json.dumps(token),
        json.dumps(token, ensure_ascii=False),
        json.dumps(token, indent=1),
        json.dumps(dict(reversed(token.items()))),
        json.dumps(token).replace("a1", "\\u0061\\u0031"),
    ]
    got = [await held.hand_in(spelling) for spelling in spellings]
    assert [type(outcome) for outcome in got] == [CaptchaPass, *[Denied] * 4]
    assert len(held.vendor.asked) == 1


@pytest.mark.attack("CV-2")
async def test_a_vendor_may_say_what_names_a_token(site: Site) -> None:
    class Naming(FakeVendor):
        def token_of(self, payload: str) -> str:
            return str(json.loads(payload)["ticket"])

    held = await with_vendor(site, Naming())
    assert isinstance(await held.hand_in('{"ticket": "t1", "x": 1}'), CaptchaPass)
    assert await held.hand_in('{"ticket": "t1", "x": 2}') == INVALID
    assert isinstance(await held.hand_in('{"ticket": "t2"}'), CaptchaPass)
    # Its own fault does not keep a token from being spent.
    assert isinstance(await held.hand_in("no json"), CaptchaPass)
    assert await held.hand_in("no json") == INVALID


@pytest.mark.attack("CV-2")
async def test_who_hangs_up_leaves_the_token_spent(site: Site) -> None:
    vendor = FakeVendor()
    vendor.hold = asyncio.Event()
    held = await with_vendor(site, vendor)
    call = asyncio.create_task(held.hand_in())
    await until(lambda: bool(vendor.asked))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await held.hand_in() == INVALID
    # The answer still counts for the breaker and the metrics.
    vendor.hold.set()
    await until(lambda: bool(held.told))
    assert held.results() == ["passed"]
    await held.vendors.close()


@pytest.mark.attack("CV-2")
async def test_a_store_that_fails_after_the_verdict_leaves_the_token_spent(site: Site) -> None:
    held = await with_vendor(site)
    away = Problem(ProblemCode.UNAVAILABLE)

    async def write(work: Any) -> Any:
        return await (raising(away)() if held.vendor.asked else site.store.write(work))

    broken = site.over(captcha_vendors=held.vendors, store=Substitute(site.store, write=write))
    with pytest.raises(Problem):
        await VendorSite.hand_in(Substitute(held, site=broken))  # type: ignore[arg-type]
    assert len(held.vendor.asked) == 1
    assert await held.hand_in() == INVALID
    assert len(held.vendor.asked) == 1


@pytest.mark.attack("CV-3")
async def test_questions_are_charged_before_they_are_asked(folder: Path) -> None:
    async with open_site(folder, solve_per_network=3) as site:
        held = await with_vendor(site, FakeVendor(Failed("invalid")))
        for n in range(3):
            assert await held.hand_in(f"token {n}") == INVALID
        assert await held.hand_in("token 4") == Denied(ProblemCode.TOO_MANY_REQUESTS, 3600)
        assert len(held.vendor.asked) == 3
        # A refused one was not spent, and another network has its own.
        assert await held.hand_in("token 4", held.origin(AWAY)) == INVALID


@pytest.mark.attack("CV-3")
async def test_a_day_has_so_many_questions(site: Site) -> None:
    held = await with_vendor(site, per_day=2)
    for n in range(2):
        passed(await held.hand_in(f"token {n}"))
    for n in range(2, 4):
        harder_test(await held.hand_in(f"token {n}"))
    assert held.results() == ["passed", "passed", "spent", "spent"]
    site.clock.advance(DAY - site.clock.now() % DAY - 1)
    harder_test(await held.hand_in("late"))
    site.clock.advance(1)
    passed(await held.hand_in("tomorrow"))
    assert len(held.vendor.asked) == 3


# --- a vendor that is away --------------------------------------------------------------------------------------------


@pytest.mark.attack("CV-1")
async def test_a_vendor_that_is_away_is_asked_no_more(site: Site) -> None:
    held = await with_vendor(site, FakeVendor(NotReached("connect")), per_day=6)
    assert await held.site.flows.captcha.new_challenge(held.origin()) == NONE
    for n in range(7):
        harder_test(await held.hand_in(f"token {n}"))
    assert held.results() == ["not_reached"] * 5 + ["breaker_open"] * 2
    assert len(held.vendor.asked) == 5
    # A page that cannot load the vendor's script asks for the built-in test, and gets it now.
    fetched = (await held.site.challenge()).as_json()
    assert difficulty(fetched) == 2
    passed(await held.solve(fetched))
    # One question tries again, and others are not asked meanwhile: the sixth of the day was kept for it.
    site.clock.advance(30 * SECOND)
    held.vendor.verdict = Passed()
    passed(await held.hand_in("it is back"))
    assert await held.site.flows.captcha.new_challenge(held.origin()) == NONE


async def test_a_site_that_refuses_gives_no_challenge_while_its_vendor_is_away(site: Site) -> None:
    held = await with_vendor(site, FakeVendor(Unknown("HTTP 500")), fallback=Fallback.REFUSE)
    for n in range(6):
        assert await held.hand_in(f"token {n}") == Denied(ProblemCode.UNAVAILABLE)
    assert held.results()[-1] == "breaker_open"
    assert await held.site.flows.captcha.new_challenge(held.origin()) == NONE


@pytest.mark.attack("CV-1")
async def test_bad_tokens_do_not_send_a_vendor_away(site: Site) -> None:
    held = await with_vendor(site, FakeVendor(Failed("invalid")))
    for n in range(30):
        assert await held.hand_in(f"token {n}") == INVALID
    held.vendor.verdict = Passed()
    passed(await held.hand_in())


@pytest.mark.attack("CV-1")
async def test_a_vendor_that_hangs_keeps_so_many_and_no_more(site: Site) -> None:
    vendor = FakeVendor()
    vendor.hold = asyncio.Event()
    held = await with_vendor(site, vendor)
    waiting = [asyncio.create_task(held.hand_in(f"token {n}")) for n in range(64)]
    await until(lambda: len(vendor.asked) == 64)
    challenge = harder_test(await held.hand_in("one more"))
    assert held.results() == ["full"]
    # Nobody else waits: not for the built-in test, and not for a token check.
    passed(await held.solve(challenge))
    assert await site.flows.sessions.check("x" * 26) is None
    vendor.hold.set()
    assert [type(got) for got in await asyncio.gather(*waiting)] == [CaptchaPass] * 64
    passed(await held.hand_in("after it"))


async def test_questions_of_callers_that_left_end_with_the_server(site: Site) -> None:
    vendor = FakeVendor()
    vendor.hold = asyncio.Event()
    held = await with_vendor(site, vendor)
    call = asyncio.create_task(held.hand_in())
    await until(lambda: bool(vendor.asked))
    call.cancel()
    await held.vendors.close()
    assert held.results() == ["unknown"]


# --- the built-in test beside the vendor's ----------------------------------------------------------------------------


@pytest.mark.attack("CV-4")
async def test_the_built_in_test_is_no_second_door(site: Site) -> None:
    made_before = (await site.challenge()).as_json()
    held = await with_vendor(site)
    assert await held.site.flows.captcha.new_challenge(held.origin()) == NONE
    assert await held.solve(made_before) == INVALID
    assert held.vendor.asked == []
    # Nor is one that stands in place of another vendor.
    other = await site.harness.change_app(captcha_vendor="other")
    elsewhere = (await held.site.challenge(site.origin(app=other))).as_json()
    await site.harness.change_app(captcha_vendor=NAME)
    assert await held.solve(elsewhere) == INVALID


@pytest.mark.attack("CV-4")
async def test_where_a_network_deserves_more_the_built_in_test_comes_on_top(site: Site) -> None:
    await site.kevin()
    held = await with_vendor(site)
    for n in range(20):
        await site.fail(1, f"nobody{n}")
    asked = await held.site.try_password()
    assert asked == Denied(ProblemCode.CAPTCHA_REQUIRED)
    of_vendor = PassPresented(passed(await held.hand_in()).token)
    challenge = harder_test(await held.site.try_password(captcha=of_vendor), ProblemCode.CAPTCHA_INVALID)
    assert difficulty(challenge) == 3
    harder = PassPresented(passed(await held.solve(challenge)).token)
    assert isinstance(await held.site.try_password(captcha=harder), Granted)
    # One pass of the vendor carries one harder pass, and that one carries none.
    again = harder_test(await held.site.try_password(captcha=of_vendor), ProblemCode.CAPTCHA_INVALID)
    assert await held.solve(again) == INVALID
    chained = harder_test(await held.site.try_password(captcha=harder), ProblemCode.CAPTCHA_INVALID)
    assert await held.solve(chained) == INVALID
    # What is no pass carries none either.
    bare = harder_test(await held.site.try_password(captcha=PassPresented("x" * 26)), ProblemCode.CAPTCHA_INVALID)
    assert await held.solve(bare) == INVALID
    assert len(held.vendor.asked) == 1


@pytest.mark.attack("CV-4", "OT-11")
async def test_a_pumped_prefix_needs_more_than_the_vendors_test(site: Site) -> None:
    held = await with_vendor(site)
    day = site.clock.now() // DAY
    await site.store.write(lambda tx: tx.traffic.count(prefix_of(PHONE), "+86", day, sent=30))

    async def ask(captcha: PassPresented | None) -> CodeSent | Denied:
        return await held.site.flows.codes.send(SendCode(Kind.PHONE, PHONE, Purpose.LOGIN, captcha), held.origin())

    assert await ask(None) == Denied(ProblemCode.CAPTCHA_REQUIRED)
    of_vendor = PassPresented(passed(await held.hand_in()).token)
    challenge = harder_test(await ask(of_vendor), ProblemCode.CAPTCHA_INVALID)
    assert difficulty(challenge) == 4
    harder = PassPresented(passed(await held.solve(challenge)).token)
    assert await ask(harder) == CodeSent()


async def test_a_login_meets_the_harder_test_while_the_vendor_is_away(site: Site) -> None:
    await site.kevin()
    held = await with_vendor(site, FakeVendor(NotReached("connect")))
    for n in range(5):
        await held.hand_in(f"token {n}")
    await site.fail(3)
    challenge = harder_test(await held.site.try_password())
    assert difficulty(challenge) == 2
    got = PassPresented(passed(await held.solve(challenge)).token)
    site.clock.advance(HOUR // 60)
    assert isinstance(await held.site.try_password(captcha=got), Granted)
