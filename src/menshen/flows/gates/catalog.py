"""List the use cases of captchas."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from menshen.core.gates.captcha import (
    Action,
    CaptchaImage,
    CaptchaPass,
    CaptchaTicket,
    ImagePresented,
    Presented,
    ProofOfWork,
    SolvedChallenge,
)
from menshen.core.outcomes import ActionOutcome
from menshen.core.problems import Denied
from menshen.core.rules import Origin
from menshen.flows.gates.captcha import (
    begin_image,
    draw_captcha,
    image_captcha,
    new_challenge,
    solve_challenge,
    solve_image,
    spend_captcha,
)
from menshen.flows.use_case import served_by


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptchaFlows:
    """Issue, check and spend captchas."""

    new_challenge: Callable[[Origin], Awaitable[ProofOfWork | Denied]] = field(metadata=served_by(new_challenge))
    """Make a behaviour test for this app and network."""
    solve_challenge: Callable[[SolvedChallenge, Origin], Awaitable[CaptchaPass | Denied]] = field(
        metadata=served_by(solve_challenge)
    )
    """Issue a pass for a solved behaviour test."""
    spend: Callable[[Presented | None, Action, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(spend_captcha)
    )
    """Spend a captcha on an action."""
    image: Callable[[Origin], Awaitable[CaptchaTicket | Denied]] = field(metadata=served_by(image_captcha))
    """Check whether a login needs an image for this app and network. Return the session id to draw it under."""
    draw: Callable[[str, Origin], Awaitable[CaptchaImage | Denied]] = field(metadata=served_by(draw_captcha))
    """Session id -> a new image. Its answer replaces the one of the image before."""
    open_image: Callable[[Origin], Awaitable[CaptchaTicket | Denied]] = field(metadata=served_by(begin_image))
    """Open an image in place of a behaviour test. Return the session id to draw it under."""
    solve_image: Callable[[ImagePresented, Origin], Awaitable[CaptchaPass | Denied]] = field(
        metadata=served_by(solve_image)
    )
    """Issue a pass for a right answer to an image."""
