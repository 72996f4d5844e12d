"""What a password login must face: nothing, a captcha, a pause.

Pure: signals in, assessment out. `RULES` is the whole of it, one line a rule with its reason. Each rule that holds
adds its points; from `CAPTCHA_AT` on a captcha is asked. Rules that shut decide alone.

It is asked twice. Before the password is looked at only counters, lists and the device count, which are the
same for an account that nobody has. What the account's own past says counts once the password was right: so no
answer tells a stranger whether an account exists (docs/security/attacks.md EN-6).

How hard the captcha is depends on the network only, so that a test solved before the account was named fits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from menshen.core.apps import CaptchaRule
from menshen.core.gates.limits import Count, Limits
from menshen.core.networks import Listing

CAPTCHA_AT: Final = 40
"""Points from which a captcha is asked, where the app's rule is RISK."""

HARDEST: Final = 5
"""The greatest difficulty; each step doubles the work of the one before."""

MANY_ACCOUNTS: Final = 10
"""Accounts that fail from one network in a window: more than a family mistypes."""


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


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of one try. `strangers`: accounts that failed from its network in the window.

    `idle` is the time in ms since the account's last login, 0 when it never logged in. A network is known
    when one of the account's last two logins came from it.
    """

    tries: PasswordTries
    strangers: int = 0
    listing: Listing = Listing.NONE
    known_network: bool = False
    known_device: bool = False
    idle: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table. `shuts` decides alone; `harder` adds to the difficulty, for rules about the network.

    `proved`: it counts only once the password was right.
    """

    word: str
    points: int
    why: str
    holds: Callable[[Signals, Limits], bool]
    shuts: Verdict | None = None
    harder: int = 0
    proved: bool = False


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "suspended", 0, "too many failures in a row over all networks: only a code or a reset lets the owner in",
        lambda s, limits: s.tries.account.tries > limits.suspend_after, shuts=Verdict.SUSPENDED,
    ),
    Rule(
        "paused", 0, "too many failures here: nobody mistypes that often without a pause",
        lambda s, limits: s.tries.near.tries > limits.pause_after, shuts=Verdict.PAUSED,
    ),
    Rule(
        "failures_here", 50, "this account has failed here before: somebody may be guessing its password",
        lambda s, limits: s.tries.near.tries >= limits.captcha_from,
    ),
    Rule(
        "failures_on_network", 40, "many failures from this network: somebody may be trying a list of passwords",
        lambda s, limits: s.tries.network.tries >= limits.network_captcha_from, harder=1,
    ),
    Rule(
        "flood_on_network", 15, "three times as many still: whoever it is goes on",
        lambda s, limits: s.tries.network.tries >= 3 * limits.network_captcha_from, harder=1,
    ),
    Rule(
        "many_accounts", 15, "many different accounts fail from this network: a stolen list looks like that",
        lambda s, _: s.strangers >= MANY_ACCOUNTS, harder=1,
    ),
    Rule(
        "failures_elsewhere", 15, "the account is failing over several networks: many machines may guess together",
        lambda s, limits: s.tries.account.tries >= limits.network_captcha_from,
    ),
    Rule(
        "datacentre", 25, "the settings list this network as one where programs live, not people",
        lambda s, _: s.listing is Listing.DATACENTRE, harder=1,
    ),
    Rule(
        "new_network", 10, "the account's last logins came from elsewhere: true of every traveller, so worth little",
        lambda s, _: not s.known_network, proved=True,
    ),
    Rule(
        "no_known_device", 10, "no device that the account has used before: true of every new phone",
        lambda s, _: not s.known_device, proved=True,
    ),
    Rule(
        "dormant", 20, "nobody has logged in for long: its owner would not notice, its phone may be another's by now",
        lambda s, limits: s.idle >= limits.dormant, proved=True,
    ),
    Rule(
        "known_device", -10, "a device that the account has used before: it can be copied, so worth little too",
        lambda s, _: s.known_device,
    ),
    Rule(
        "allowed_network", -30, "the settings vouch for this network",
        lambda s, _: s.listing is Listing.ALLOW,
    ),
)  # fmt: skip
"""The table. Its words are stable: `menshen account risk` and the audit trail show them."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the rules say of one try: `difficulty` from 1 to `HARDEST`, for the captcha if one is asked."""

    verdict: Verdict
    points: int
    difficulty: int
    rules: tuple[Rule, ...]


def assess(signals: Signals, rule: CaptchaRule, limits: Limits, *, proved: bool = False) -> Assessment:
    """Judge by docs/contracts/core.md section 4.1, the strictest first; `proved` once the password was right."""
    held = tuple(line for line in RULES if (proved or not line.proved) and line.holds(signals, limits))
    points = sum(line.points for line in held)
    difficulty = min(1 + sum(line.harder for line in held), HARDEST)
    shut = next((line.shuts for line in held if line.shuts), None)
    if shut is not None:
        verdict = shut
    elif rule is CaptchaRule.ALWAYS or (rule is CaptchaRule.RISK and points >= CAPTCHA_AT):
        verdict = Verdict.CAPTCHA
    else:
        verdict = Verdict.FREE
    return Assessment(verdict, points, difficulty, held)
