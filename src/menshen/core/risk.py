"""What a password login must face before its password is looked at: nothing, a captcha, a pause.

Pure: counts in, verdict out. The same verdict for accounts that exist and those that do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from menshen.core.apps import CaptchaRule
from menshen.core.limits import Count, Limits


class Verdict(StrEnum):
    """From harmless to shut."""

    FREE = "free"
    CAPTCHA = "captcha"
    PAUSED = "paused"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class PasswordTries:
    """The three counters of a password login, this try included.

    `near` counts by account and network (or by account and known device), `network` by network over all
    accounts, `account` by account over all networks (for a known device: over the known devices).
    """

    near: Count
    network: Count
    account: Count


def judge_password_try(tries: PasswordTries, rule: CaptchaRule, limits: Limits) -> Verdict:
    """The verdict of contracts/core.md section 4, the strictest first."""
    if tries.account.tries > limits.suspend_after:
        return Verdict.SUSPENDED
    if tries.near.tries > limits.pause_after:
        return Verdict.PAUSED
    if rule is CaptchaRule.ALWAYS:
        return Verdict.CAPTCHA
    if rule is CaptchaRule.RISK and (
        tries.near.tries >= limits.captcha_from or tries.network.tries >= limits.network_captcha_from
    ):
        return Verdict.CAPTCHA
    return Verdict.FREE
