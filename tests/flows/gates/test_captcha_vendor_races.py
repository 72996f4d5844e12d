"""Tokens and questions under races, on both databases, on one node and on two."""

from __future__ import annotations

import asyncio

import pytest

from menshen.core.gates.captcha import CaptchaPass
from menshen.core.problems import Denied, ProblemCode
from menshen.ports.captcha import Passed
from menshen.ports.outward import Unknown
from tests.flows.gates.vendor_site import FakeVendor, VendorSite, harder_test, passed, until, with_vendor
from tests.flows.site import Site

INVALID = Denied(ProblemCode.CAPTCHA_INVALID)


@pytest.mark.attack("CV-2", "RACE-10")
async def test_fifty_with_one_token_are_one_question_and_one_pass(each_site: Site) -> None:
    held = await with_vendor(each_site)
    outcomes = await asyncio.gather(*(held.hand_in() for _ in range(50)))
    assert [type(outcome) for outcome in outcomes].count(CaptchaPass) == 1
    assert outcomes.count(INVALID) == 49
    assert len(held.vendor.asked) == 1


@pytest.mark.attack("CV-2", "RACE-10")
async def test_two_nodes_ask_once_about_one_token(two: list[Site]) -> None:
    vendor = FakeVendor()
    nodes = [await with_vendor(site, vendor) for site in two]
    outcomes = await asyncio.gather(*(nodes[n % 2].hand_in() for n in range(50)))
    assert [type(outcome) for outcome in outcomes].count(CaptchaPass) == 1
    assert len(vendor.asked) == 1


@pytest.mark.attack("CV-3")
async def test_two_nodes_share_the_questions_of_a_day(two: list[Site]) -> None:
    vendor = FakeVendor()
    nodes = [await with_vendor(site, vendor, per_day=7) for site in two]
    outcomes = await asyncio.gather(*(nodes[n % 2].hand_in(f"token {n}") for n in range(40)))
    assert [type(outcome) for outcome in outcomes].count(CaptchaPass) == 7
    assert len(vendor.asked) == 7
    assert sum(node.results().count("spent") for node in nodes) == 33


@pytest.mark.attack("CV-2")
async def test_a_node_that_dies_between_the_question_and_the_pass_leaves_the_token_spent(two: list[Site]) -> None:
    vendor = FakeVendor()
    vendor.hold = asyncio.Event()
    first, second = [await with_vendor(site, vendor) for site in two]
    call = asyncio.create_task(first.hand_in())
    await until(lambda: bool(vendor.asked))
    call.cancel()
    await first.vendors.close()
    vendor.hold.set()
    assert await second.hand_in() == INVALID
    passed(await second.hand_in("another"))
    assert len(vendor.asked) == 2


@pytest.mark.attack("CV-1")
async def test_one_question_at_once_tries_a_vendor_that_was_away(each_site: Site) -> None:
    held = await with_vendor(each_site, FakeVendor(Unknown("timeout")))
    for n in range(5):
        await held.hand_in(f"token {n}")
    each_site.clock.advance(30_000)
    held.vendor.hold, held.vendor.verdict = asyncio.Event(), Passed()
    calls = [asyncio.create_task(held.hand_in(f"late {n}")) for n in range(20)]
    await until(lambda: held.results().count("breaker_open") == 19)
    assert len(held.vendor.asked) == 6
    held.vendor.hold.set()
    outcomes = await asyncio.gather(*calls)
    assert [type(outcome) for outcome in outcomes].count(CaptchaPass) == 1
    harder_test(next(outcome for outcome in outcomes if isinstance(outcome, Denied)))


@pytest.mark.attack("CV-1")
async def test_used_tokens_do_not_use_up_the_try_of_a_vendor_that_was_away(each_site: Site) -> None:
    held: VendorSite = await with_vendor(each_site, FakeVendor(Unknown("timeout")))
    for n in range(5):
        await held.hand_in(f"token {n}")
    each_site.clock.advance(30_000)
    held.vendor.verdict = Passed()
    for n in range(5):
        assert await held.hand_in(f"token {n}") == INVALID
    passed(await held.hand_in("new"))
