"""Make the captcha vendors that the settings name."""

from __future__ import annotations

from menshen.app.settings.reader import Settings
from menshen.app.settings.sections.captcha import terms_of
from menshen.app.telemetry.captchas import CaptchaAnswers
from menshen.flows.gates.captcha_vendors import CaptchaVendors
from menshen.ports.outward import Outward
from menshen.ports.world import World


def vendors_of(settings: Settings, outward: Outward, world: World) -> CaptchaVendors:
    """Return the captcha vendors. The file of each type that the settings name is imported now, and no other."""
    chosen = settings.captcha.vendors
    terms = [terms_of(one) for one in chosen]
    return CaptchaVendors(
        [(each, one.build(outward)) for each, one in zip(terms, chosen, strict=True)],
        world=world,
        origins=settings.server.cors_origins,
        report=CaptchaAnswers(terms, world.now).report if terms else None,
    )
