"""Turn the settings into the rules that the core obeys."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from menshen.app.settings.sections.limits import network_lists
from menshen.app.settings.sections.passkeys import sites_of
from menshen.app.settings.settings import Settings
from menshen.core.identifiers import parse_phone
from menshen.core.policy import Policy, TestNumber
from menshen.core.time import SECOND, Instant


def policy_of(settings: Settings) -> Policy:
    """Return what the core is to obey."""
    return Policy(
        limits=settings.limits,
        networks=network_lists(settings.risk),
        hosts=tuple(host.lower() for host in settings.server.hosts),
        sms_countries=settings.sms.countries,
        sms_country_budgets=tuple(settings.sms.country_budgets.items()),
        test_numbers=tuple(
            TestNumber(parse_phone(phone) or "", entry.code, end_of(entry.until))
            for phone, entry in settings.sms.test_numbers.items()
        ),
        password_blocklist=settings.password.blocklist,
        product_words=settings.password.product_words,
        captcha_cost=settings.captcha.cost,
        product=settings.texts.product,
        passkeys=sites_of(settings.passkeys),
    )


def end_of(day: date) -> Instant:
    """Return the instant (epoch ms) at which a day of UTC is over."""
    return Instant(int(datetime.combine(day + timedelta(days=1), time(), UTC).timestamp()) * SECOND)
