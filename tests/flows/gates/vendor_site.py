"""A site whose app has a captcha vendor of the test's own, and the shortest way to hand a token in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from menshen.core.gates.captcha import CaptchaPass, SolvedChallenge
from menshen.core.gates.captcha_vendors import VendorTerms
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.flows.gates.captcha_vendors import Answered, CaptchaVendors
from menshen.ports.captcha import Passed, VendorVerdict
from tests.flows.site import Site

NAME = "guard"


class FakeVendor:
    """Give `verdict` to each token, or what `answer` makes of it. `asked` keeps the arguments of each question."""

    def __init__(self, verdict: VendorVerdict | BaseException | Any = None) -> None:
        self.verdict = Passed() if verdict is None else verdict
        self.asked: list[dict[str, Any]] = []
        self.hold: asyncio.Event | None = None
        """What each question waits for, if it is set."""

    async def verify(self, payload: str, **asked: Any) -> VendorVerdict:
        self.asked.append({"payload": payload, **asked})
        if self.hold is not None:
            await self.hold.wait()
        else:
            await asyncio.sleep(0)
        if isinstance(self.verdict, BaseException):
            raise self.verdict
        return self.verdict


class VendorSite:
    """Hold a site over a vendor. `told` are the reports; `terms` are keys of `VendorTerms`."""

    def __init__(self, site: Site, vendor: Any, *, most: int = 64, **terms: Any) -> None:
        self.vendor, self.told = vendor, list[Answered]()
        self.vendors = CaptchaVendors(
            [(VendorTerms(NAME, "fake", **terms), vendor)],
            world=site.clock,
            origins=("https://www.shop.example", "capacitor://localhost"),
            most=most,
            report=self.told.append,
        )
        self.site = site.over(captcha_vendors=self.vendors)

    def origin(self, ip: str = "198.51.100.7") -> Origin:
        return self.site.origin(ip)

    async def hand_in(self, token: str = "token", origin: Origin | None = None) -> CaptchaPass | Denied:
        return await self.site.flows.captcha.solve_challenge(SolvedChallenge(token), origin or self.origin())

    async def solve(self, challenge: dict[str, Any] | None, origin: Origin | None = None) -> CaptchaPass | Denied:
        assert challenge
        return await self.hand_in(self.site.harness.solve(challenge), origin)

    def results(self) -> list[str]:
        return [told.result.value for told in self.told]


async def with_vendor(site: Site, vendor: Any = None, *, most: int = 64, **terms: Any) -> VendorSite:
    """Give the app of the site a vendor."""
    await site.harness.change_app(captcha_vendor=NAME)
    return VendorSite(site, vendor or FakeVendor(), most=most, **terms)


def passed(outcome: Any) -> CaptchaPass:
    assert isinstance(outcome, CaptchaPass), outcome
    return outcome


def harder_test(outcome: Any, code: ProblemCode = ProblemCode.CAPTCHA_REQUIRED) -> dict[str, Any]:
    """Give the built-in test that a refusal holds."""
    assert isinstance(outcome, Denied), outcome
    assert outcome.code is code
    assert outcome.challenge
    return outcome.challenge


def difficulty(challenge: dict[str, Any]) -> int:
    found: int = challenge["parameters"]["data"]["difficulty"]
    return found


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks run until it holds."""
    while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
        await asyncio.sleep(0.001)
