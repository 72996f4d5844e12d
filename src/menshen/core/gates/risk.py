"""Assess the risk of a password login. The result is free, captcha, paused or suspended.

`RULES` is the table of all rules, one entry per rule, with its reason. Each rule that holds adds its points. From
`CAPTCHA_AT` points on, a captcha is required. A rule with `shuts` decides alone. All functions here are pure.

The risk is assessed twice. Before the password check, it depends only on counters, lists and the device. These are
the same for an unknown account. The history of the account counts only after the password was right. So no answer
reveals to an attacker whether an account exists (docs/security/attacks.md EN-6). There is one exception: a password
that strangers suspended is not suspended on networks that the account knows. Only people there see it (decision 0044).

The difficulty of the captcha depends only on the network. So a test may be solved before the account is known.
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
"""Points from which a captcha is required, if the rule of the app is RISK."""

HARDEST: Final = 5
"""The greatest difficulty. Each step doubles the work of the step before."""

MANY_ACCOUNTS: Final = 10
"""Accounts with failures from one network in a window. A family causes fewer by mistyping."""


class Verdict(StrEnum):
    """Name the results, from the mildest to the strictest."""

    FREE = "free"
    CAPTCHA = "captcha"
    PAUSED = "paused"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class PasswordTries:
    """Hold the counters of a password login. They include this try.

    `near` counts by account and network (or by account and known device). `network` counts by network over all
    accounts. `account` counts by account over all networks (for a known device: over the known devices). `share` counts
    by account and network once the account has failed often; else it is None.
    """

    near: Count
    network: Count
    account: Count
    share: Count | None = None


@dataclass(frozen=True, slots=True)
class Signals:
    """Hold the facts about one try. `strangers`: the number of accounts with failures from its network in the window.

    `idle` is the time in ms since the account's last login, 0 if it never logged in. A network is known if one of the
    account's last two logins came from it. `vouched`: the caller has a session of the account.
    """

    tries: PasswordTries
    strangers: int = 0
    listing: Listing = Listing.NONE
    known_network: bool = False
    known_device: bool = False
    vouched: bool = False
    idle: int = 0

    @property
    def acquainted(self) -> bool:
        """Return whether failures of strangers elsewhere say nothing about this caller.

        A known device is counted apart from strangers, so its own counter holds for it.
        """
        return (self.known_network or self.vouched) and not self.known_device


@dataclass(frozen=True, slots=True)
class Rule:
    """Hold one rule of the table. A rule with `shuts` decides alone. `harder` adds to the difficulty of the captcha.

    Only rules about the network have `harder`. `proved`: the rule counts only after the password was right.
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
        "suspended", 0, "too many failures in a row over all networks: a code or a reset lets the owner in",
        lambda s, limits: s.tries.account.tries > limits.suspend_after and not s.acquainted, shuts=Verdict.SUSPENDED,
    ),
    Rule(
        "suspended_here", 0, "too many of the failures in a row from this network: it must not fill the count",
        lambda s, limits: s.tries.share is not None and s.tries.share.tries > limits.suspend_share,
        shuts=Verdict.SUSPENDED,
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
        "failures_elsewhere", 40, "the account fails often: to add to the count of all networks costs a captcha",
        lambda s, limits: s.tries.account.tries > limits.suspend_share,
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
"""The table of rules. The words must not change, because `menshen account risk` and the audit events show them."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Hold the result for one try. `difficulty`, from 1 to `HARDEST`, is for the captcha, if one is required."""

    verdict: Verdict
    points: int
    difficulty: int
    rules: tuple[Rule, ...]


def assess(signals: Signals, rule: CaptchaRule, limits: Limits, *, proved: bool = False) -> Assessment:
    """Apply docs/contracts/core.md section 4.1, the strictest rule first. `proved`: the password was right."""
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
