"""The named limits, and how their counters move. (docs/contracts/core.md section 4.)

Two kinds. A *tally* counts tries towards a consequence and is hit before the secret is judged; a *quota*
admits a number of acts in any window and is charged when admitted. All fail closed: a store that cannot
count refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from menshen.core.time import DAY, HOUR, MINUTE, Instant, seconds_until


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
class Limits:
    """Every number of the table, with its default. Windows in ms.

    `prefix_watch_from` codes sent to one prefix in two days are enough to judge it: verified less than
    `prefix_ratio` percent of them, somebody is pumping. `dormant` is how long nobody logs in to a dormant account.
    """

    captcha_from: int = 4
    pause_after: int = 10
    pause: int = 15 * MINUTE
    network_captcha_from: int = 20
    network_window: int = 15 * MINUTE
    suspend_after: int = 100
    suspend_memory: int = 365 * DAY
    code_tries_per_number: int = 20
    code_tries_window: int = HOUR
    send_per_minute: int = 1
    send_per_hour: int = 5
    send_per_day: int = 10
    send_per_network: int = 10
    send_budget_per_day: int = 1000
    exist_per_network: int = 60
    exist_free: int = 5
    register_per_network: int = 20
    captcha_per_network: int = 120
    solve_per_network: int = 600
    verify_per_network: int = 120
    send_budget_per_country: int = 1000
    prefix_watch_from: int = 30
    prefix_ratio: int = 20
    dormant: int = 180 * DAY


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
