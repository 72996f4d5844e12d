"""Read when each sender of text messages is asked, and find senders that do not fit together.

(docs/contracts/vendors.md section 1.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from menshen.app.settings.chosen import Chosen
from menshen.app.settings.sections.sms import SenderKeys
from menshen.app.settings.settings import Settings
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.delivery.messages import NOTICE, PURPOSES, Template
from menshen.core.delivery.senders import EVERY_OTHER, SenderTerms, choose
from menshen.core.findings import Finding, error, warning

_OUTBOX = "outbox"

_DEMANDED: Final = tuple(one for one in PURPOSES if one not in {NOTICE, Purpose.STEP.value})
"""Purposes that senders must serve. Codes for second steps are sent where an app allows them, and settings of earlier
releases know no such purpose."""


def terms_of(chosen: Chosen) -> SenderTerms:
    """Return when a sender of the settings is asked, and its limits. Imports the file of its type."""
    keys = _keys_of(chosen)
    return SenderTerms(
        name=chosen.name,
        countries=keys.countries,
        templates=frozenset(
            template
            for template in Template
            if (not keys.purposes or template.purpose in keys.purposes) and chosen.serves(template)
        ),
        order=keys.order,
        weight=keys.weight,
        per_day=keys.per_day,
        cost_micros=keys.cost_micros,
        cost_per_day_micros=keys.cost_per_day_micros,
        repeatable=chosen.repeatable,
    )


def find_sender_problems(settings: Settings) -> Iterator[Finding]:
    """Find codes that no sender would take, and what an operator of several senders should know."""
    chosen = settings.sms.chosen
    terms = [terms_of(one) for one in chosen]
    yield from _uncovered(settings, terms)
    for one in settings.sms.senders:
        yield from _templates(one)
        yield from _countries(one)
        if one.type != _OUTBOX:
            yield from _limits(one)
    if len(settings.sms.senders) == 1 and chosen[0].type != _OUTBOX:
        yield warning("[[sms.senders]]", f"has {chosen[0].name} only: nothing is sent while that one is away")


def _keys_of(chosen: Chosen) -> SenderKeys:
    return cast("SenderKeys", chosen.terms or SenderKeys())


def _uncovered(settings: Settings, terms: list[SenderTerms]) -> Iterator[Finding]:
    """Find each country of `[sms] countries` to which codes of a purpose have no sender."""
    for country in settings.sms.countries:
        codes = [template for template in Template if template.purpose in _DEMANDED]
        missing = [one.purpose for one in codes if not choose(terms, country, one, broken=(), draw="")]
        if len(missing) == len(codes):
            yield error("[[sms.senders]]", f"none serves {country}, which [sms] countries names")
        elif missing:
            yield error("[[sms.senders]]", f"none sends codes for {', '.join(missing)} to {country}")


def _templates(chosen: Chosen) -> Iterator[Finding]:
    """Find purposes that a sender serves and has no template for. Without a list, it serves all codes."""
    for purpose in _keys_of(chosen).purposes or _DEMANDED:
        own = [template for template in Template if template.purpose == purpose]
        if not any(chosen.serves(template) for template in own):
            shown = "a notice" if purpose == NOTICE else own[0].value
            yield error(f"{chosen.place}templates", f"has none for {shown}: the sender serves {purpose}")


def _countries(chosen: Chosen) -> Iterator[Finding]:
    countries, reaches = _keys_of(chosen).countries, _reach_of(chosen)
    if not countries:
        yield error(f"{chosen.place}countries", "is empty: the sender would never be asked")
    if not reaches:
        return
    key, only = f"{chosen.place}countries", " and ".join(reaches)
    if EVERY_OTHER in countries:
        yield warning(key, f"is *, and {chosen.type} is for {only}: name the countries")
    elsewhere = [country for country in countries if country != EVERY_OTHER and not country.startswith(reaches)]
    if elsewhere:
        text = f"names {', '.join(elsewhere)}, and {chosen.type} is for {only}"
        yield error(key, text) if _reaches_nothing_else(chosen) else warning(key, text)


def _limits(chosen: Chosen) -> Iterator[Finding]:
    keys = _keys_of(chosen)
    if not keys.cost_micros:
        yield warning(f"{chosen.place}cost_micros", "is 0: neither figures nor limits know what messages cost")
    if not keys.per_day and not keys.cost_per_day_micros:
        yield warning(f"{chosen.place}per_day", "is 0: nothing but [limits] bounds what a day may cost")
    if keys.cost_per_day_micros and not keys.cost_micros:
        yield error(f"{chosen.place}cost_per_day_micros", "needs cost_micros: without it, nothing is counted")
    elif 0 < keys.cost_per_day_micros < keys.cost_micros:
        yield error(f"{chosen.place}cost_per_day_micros", "is less than one part costs: nothing would be sent")


def _reach_of(chosen: Chosen) -> tuple[str, ...]:
    """Return the countries that a type is made for, () for all."""
    return tuple(getattr(chosen.settings, "home", ()))


def _reaches_nothing_else(chosen: Chosen) -> bool:
    return bool(getattr(chosen.settings, "home_only", False))
