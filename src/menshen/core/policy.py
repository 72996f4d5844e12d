"""Define every option of the core, with its default. The settings set them. They do not change while serving."""

from __future__ import annotations

from dataclasses import dataclass, field

from menshen.core.factors.passkeys import PasskeySites
from menshen.core.gates.limits import Limits
from menshen.core.networks import NetworkLists
from menshen.core.time import Instant


@dataclass(frozen=True, slots=True)
class TestNumber:
    """Hold the phone number of an app reviewer. Its code is fixed until `until`, and each use is audited."""

    __test__ = False  # a record, not a test

    phone: str
    code: str = field(repr=False)
    until: Instant


@dataclass(frozen=True, slots=True)
class Policy:
    """Hold the rules of one installation.

    `hosts` are further host names of the default app, beside the `host` of each app. "*" allows any name.
    `sms_country_budgets` are pairs (prefix, codes per day). `product` is what people call it, "" for no name.
    """

    limits: Limits = field(default_factory=Limits)
    networks: NetworkLists = field(default_factory=NetworkLists)
    hosts: tuple[str, ...] = ()
    sms_countries: tuple[str, ...] = ("+86",)
    sms_country_budgets: tuple[tuple[str, int], ...] = ()
    test_numbers: tuple[TestNumber, ...] = ()
    password_blocklist: bool = True
    product_words: tuple[str, ...] = ("menshen", "weidu", "careyshop")
    captcha_cost: int = 1000
    passkeys: PasskeySites = field(default_factory=PasskeySites)
    product: str = ""

    def country_budget(self, country: str) -> int:
        """Return the codes per day to the numbers of one prefix of `sms_countries`."""
        return dict(self.sms_country_budgets).get(country, self.limits.send_budget_per_country)

    def test_number(self, phone: str, now: Instant) -> TestNumber | None:
        """Return the test number for `phone`, or None if there is none or it has expired."""
        return next((t for t in self.test_numbers if t.phone == phone and now < t.until), None)
