"""The named limits, and how their counters move. (docs/contracts/core.md section 4.)

Two kinds. A *tally* counts tries towards a consequence and is hit before the secret is judged; a *quota*
admits a number of acts in any window and is charged when admitted. All fail closed: a store that cannot
count refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final, cast

from menshen.core.time import DAY, HOUR, MINUTE, SECOND, Instant, seconds_until


class Tally(StrEnum):
    """Names of the try counters; part of their storage key."""

    PASSWORD_ACCOUNT_NETWORK = "pw-account-network"
    PASSWORD_ACCOUNT_DEVICE = "pw-account-device"
    PASSWORD_NETWORK = "pw-network"
    PASSWORD_ACCOUNT = "pw-account"
    PASSWORD_DEVICES = "pw-devices"
    PASSWORD_STRANGERS = "pw-strangers"
    CAPTCHA_ASKED = "captcha-asked"
    CODE_NUMBER = "code-number"
    CODE_BUDGET = "code-budget"
    REFUSALS = "refusals"


class Quota(StrEnum):
    """Names of the quotas; part of their storage key."""

    SEND_NUMBER_MINUTE = "send-number-minute"
    SEND_NUMBER_HOUR = "send-number-hour"
    SEND_NUMBER_DAY = "send-number-day"
    SEND_NETWORK_HOUR = "send-network-hour"
    EXIST_NETWORK_HOUR = "exist-network-hour"
    EXIST_NETWORK_FREE = "exist-network-free"
    REGISTER_NETWORK_HOUR = "register-network-hour"
    CAPTCHA_NETWORK_HOUR = "captcha-network-hour"
    SOLVE_NETWORK_HOUR = "solve-network-hour"
    VERIFY_NETWORK_HOUR = "verify-network-hour"


@dataclass(frozen=True, slots=True)
class Hit:
    """One try to count. The count starts anew `window` ms after its first try, or with `idle` after its last.

    Past `cap` tries the last try's time stands still, so that a pause of `window` ms ends however often
    one knocks meanwhile.
    """

    key: bytes
    window: int
    cap: int
    idle: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """A counter after a hit: tries so far with this one, and the instant from which its window runs."""

    tries: int
    since: Instant
    window: int

    def retry_after(self, now: Instant) -> int:
        """Whole seconds until it starts anew."""
        return seconds_until(self.since + self.window, now)


@dataclass(frozen=True, slots=True)
class Claim:
    """One act to admit: at most `most` in any `window` ms. `most` 0 admits none."""

    key: bytes
    most: int
    window: int


@dataclass(frozen=True, slots=True)
class LimitRule:
    """Say what one limit is for and how far the settings may move it. `is_time` marks those in ms, not in counts."""

    description: str
    least: int
    most: int
    is_time: bool = False


def _count(default: int, description: str, *, least: int = 1, most: int = 10**9) -> Any:
    return field(default=default, metadata={"rule": LimitRule(description, least, most)})


def _time(default: int, description: str) -> Any:
    return field(default=default, metadata={"rule": LimitRule(description, SECOND, 3650 * DAY, is_time=True)})


@dataclass(frozen=True, slots=True)
class Limits:
    """Hold every number of the table, with its default and its rule. Times in ms; the settings give them in seconds."""

    captcha_from: int = _count(4, "The try, by account and network, from which a captcha is asked.")
    pause_after: int = _count(10, "Failures, by account and network, before a pause.")
    pause: int = _time(15 * MINUTE, "How long such a pause lasts.")
    network_captcha_from: int = _count(
        20, "Failures of a network over all accounts, within network_window, from which a captcha is asked."
    )
    network_window: int = _time(15 * MINUTE, "How long the failures of a network are counted.")
    suspend_after: int = _count(100, "Failures in a row, over all networks, before the password is suspended.")
    suspend_memory: int = _time(365 * DAY, "How long the failures in a row are remembered.")
    code_tries_per_number: int = _count(
        20, "Tries of codes at one number or address, within code_tries_window; a single code has 5."
    )
    code_tries_window: int = _time(HOUR, "How long the tries of codes are counted.")
    send_per_minute: int = _count(1, "Codes sent to one number in a minute.", least=0)
    send_per_hour: int = _count(5, "Codes sent to one number in an hour.", least=0)
    send_per_day: int = _count(10, "Codes sent to one number in a day.", least=0)
    send_per_network: int = _count(10, "Codes asked for by one network in an hour.", least=0)
    send_budget_per_day: int = _count(
        1000, "Codes sent overall in a day; an audit event is written at half and at all of it.", least=0
    )
    exist_per_network: int = _count(60, "Calls of one network in an hour that ask whether an account exists.", least=0)
    exist_free: int = _count(5, "Such calls that ask for no captcha (weidu).", least=0)
    register_per_network: int = _count(20, "Registrations without a code by one network in an hour.", least=0)
    captcha_per_network: int = _count(120, "Image captchas for one network in an hour.", least=0)
    solve_per_network: int = _count(600, "Behaviour tests handed in by one network in an hour.", least=0)
    verify_per_network: int = _count(120, "Codes tried by one network in an hour.", least=0)
    send_budget_per_country: int = _count(1000, "Codes sent to one country prefix in a day.", least=0)
    prefix_watch_from: int = _count(
        30, "Codes sent to the first digits of numbers in two days that are enough to judge them."
    )
    prefix_ratio: int = _count(20, "Percent of them verified, below which somebody is pumping.", least=0, most=100)
    dormant: int = _time(180 * DAY, "How long nobody logs in to an account that is called dormant.")


def limit_rules() -> Mapping[str, tuple[int, LimitRule]]:
    """Return the default and the rule of each limit by its name, in the order of the table."""
    return {limit.name: (cast("int", limit.default), limit.metadata["rule"]) for limit in fields(Limits)}


NOBODYS_MEMORY: Final = 30 * DAY
"""How long failures at an identifier that nobody has are remembered: no row of a stranger's making stays for a year."""


def send_claims(limits: Limits, number: bytes, network: bytes) -> tuple[tuple[Quota, bytes, int, int], ...]:
    """Quotas a sent code is charged to: (name, subject key, most, window ms)."""
    return (
        (Quota.SEND_NUMBER_MINUTE, number, limits.send_per_minute, MINUTE),
        (Quota.SEND_NUMBER_HOUR, number, limits.send_per_hour, HOUR),
        (Quota.SEND_NUMBER_DAY, number, limits.send_per_day, DAY),
        (Quota.SEND_NETWORK_HOUR, network, limits.send_per_network, HOUR),
    )
