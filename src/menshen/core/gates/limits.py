"""Define the rate limits, and how their counters change. (docs/contracts/core.md section 4.)

There are two kinds. A *tally* counts tries before the secret is checked, and too many tries have a consequence. A
*quota* allows a number of actions in any window, and counts each action that it allows. All limits fail closed: if the
store cannot count, the request is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final, NamedTuple, cast

from menshen.core.networks import Scale
from menshen.core.time import DAY, HOUR, MINUTE, SECOND, Instant, seconds_until


class Tally(StrEnum):
    """Name the counters of tries. The name is part of the storage key."""

    PASSWORD_ACCOUNT_NETWORK = "pw-account-network"
    PASSWORD_ACCOUNT_DEVICE = "pw-account-device"
    PASSWORD_NETWORK = "pw-network"
    PASSWORD_ACCOUNT = "pw-account"
    PASSWORD_DEVICES = "pw-devices"
    PASSWORD_SHARE = "pw-share"
    PASSWORD_STRANGERS = "pw-strangers"
    CAPTCHA_ASKED = "captcha-asked"
    CODE_NUMBER = "code-number"
    CODE_ASKER = "code-asker"
    CODE_BUDGET = "code-budget"
    CAPTCHA_VENDOR = "captcha-vendor"
    REFUSALS = "refusals"
    # Second steps (docs/contracts/factors.md section 4).
    STEP_WRONG = "step-wrong"
    STEP_WRONG_DAY = "step-wrong-day"
    STEP_ROW = "step-row"
    STEP_GUESSED = "step-guessed"
    TICKETS_ACCOUNT = "tickets-account"
    PASSKEY_NETWORK = "passkey-network"


class Quota(StrEnum):
    """Name the quotas. The name is part of the storage key."""

    SEND_NUMBER_MINUTE = "send-number-minute"
    SEND_NUMBER_HOUR = "send-number-hour"
    SEND_NUMBER_DAY = "send-number-day"
    SEND_NETWORK_HOUR = "send-network-hour"
    SEND_SHARE_HOUR = "send-share-hour"
    SEND_SHARE_DAY = "send-share-day"
    SEND_KEPT_HOUR = "send-kept-hour"
    SEND_KEPT_DAY = "send-kept-day"
    NOTICE_NUMBER_HOUR = "notice-number-hour"
    EXIST_NETWORK_HOUR = "exist-network-hour"
    EXIST_NETWORK_FREE = "exist-network-free"
    REGISTER_NETWORK_HOUR = "register-network-hour"
    CAPTCHA_NETWORK_HOUR = "captcha-network-hour"
    SOLVE_NETWORK_HOUR = "solve-network-hour"
    VERIFY_NETWORK_HOUR = "verify-network-hour"
    # Calls of people with a session (core.gates.members).
    EDIT_ACCOUNT_HOUR = "edit-account-hour"
    SESSION_CALLS_HOUR = "session-calls-hour"
    PASSWORD_ACCOUNT_DAY = "password-account-day"
    BIND_ACCOUNT_DAY = "bind-account-day"
    EXPORT_ACCOUNT_DAY = "export-account-day"
    FACTORS_ACCOUNT_DAY = "factors-account-day"
    # Second steps (docs/contracts/factors.md section 4).
    ENROL_TICKET = "enrol-ticket"
    GRACE_ACCOUNT_DAY = "grace-account-day"
    STEP_NOTICE_DAY = "step-notice-day"


@dataclass(frozen=True, slots=True)
class Hit:
    """Count one try. The count starts again `window` ms after its first try, or with `idle` after its last try.

    After `cap` tries, the time of the last try is no longer updated. So a pause of `window` ms ends on time, even if
    the client keeps trying.
    """

    key: bytes
    window: int
    cap: int
    idle: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """Hold a counter after a hit: the tries including this one, and the instant when its window started."""

    tries: int
    since: Instant
    window: int

    def retry_after(self, now: Instant) -> int:
        """Return the whole seconds until the count starts again."""
        return seconds_until(self.since + self.window, now)


def fullest(counts: Sequence[Count], scales: Sequence[Scale]) -> Count:
    """Return the count that is nearest to its limit. Each is divided by the factor of its network, and rounded up.

    A single count is returned as it is: that of a known device belongs to no network.
    """
    if len(counts) == 1:
        return counts[0]
    scaled = [
        Count(-(-count.tries // scale.factor), count.since, count.window)
        for count, scale in zip(counts, scales, strict=True)
    ]
    return max(scaled, key=lambda count: count.tries)


@dataclass(frozen=True, slots=True)
class Claim:
    """Request one action: at most `most` are allowed in any `window` ms. With `most` 0, none is allowed."""

    key: bytes
    most: int
    window: int


@dataclass(frozen=True, slots=True)
class LimitRule:
    """Describe one limit and the range that the settings allow. `is_time`: the limit is a time in ms, not a count."""

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
    """Hold all limits of the table, with their defaults and rules. Times are in ms, but in seconds in the settings."""

    captcha_from: int = _count(4, "The try, by account and network, from which a captcha is asked.")
    pause_after: int = _count(10, "Failures, by account and network, before a pause.")
    pause: int = _time(15 * MINUTE, "How long such a pause lasts.")
    network_captcha_from: int = _count(
        20, "Failures of a network over all accounts, within network_window, from which a captcha is asked."
    )
    network_window: int = _time(15 * MINUTE, "How long the failures of a network are counted.")
    suspend_after: int = _count(100, "Failures in a row, over all networks, before the password is suspended.")
    suspend_share: int = _count(
        20, "Failures in a row from which each network is counted apart, and how many of them each may add."
    )
    suspend_memory: int = _time(365 * DAY, "How long the failures in a row are remembered.")
    code_tries_per_number: int = _count(
        20,
        "Tries of codes at one number or address, within code_tries_window: of each network that asked for a code, and"
        " of all others together. A single code has 5.",
    )
    code_tries_window: int = _time(HOUR, "How long the tries of codes are counted.")
    send_per_minute: int = _count(1, "Codes sent to one number in a minute.", least=0)
    send_per_hour: int = _count(5, "Codes sent to one number in an hour.", least=0)
    send_per_day: int = _count(10, "Codes sent to one number in a day.", least=0)
    send_share_per_hour: int = _count(
        3, "Codes to one number that one network (a /24 or /48) may ask for in an hour.", least=0
    )
    send_share_per_day: int = _count(
        4, "Codes to one number that one network (a /24 or /48) may ask for in a day.", least=0
    )
    send_kept_per_hour: int = _count(
        2,
        "Codes to one number in an hour, beside the others, for devices its account knows, and as many for networks.",
        least=0,
    )
    send_kept_per_day: int = _count(4, "Such codes in a day.", least=0)
    send_per_address: int = _count(
        10,
        "Codes asked for from one address (an IPv6 /64) in an hour. A network gets as many without a captcha.",
        least=0,
    )
    send_per_network: int = _count(
        60, "Codes asked for by one network (a /24 or /48) in an hour, each after a solved captcha.", least=0
    )
    send_budget_per_day: int = _count(
        1000, "Text messages in a day; an audit event is written at half and at all of it.", least=0
    )
    mail_budget_per_day: int = _count(1000, "Mails in a day, with the same events.", least=0)
    notices_per_hour: int = _count(
        5,
        "Notices of one kind of change to one number or address in an hour. Further ones are dropped.",
        least=0,
    )
    exist_per_network: int = _count(60, "Calls of one network in an hour that ask whether an account exists.", least=0)
    exist_free: int = _count(5, "Such calls that ask for no captcha (weidu).", least=0)
    register_per_network: int = _count(20, "Registrations without a code by one network in an hour.", least=0)
    captcha_per_network: int = _count(120, "Image captchas for one network in an hour.", least=0)
    solve_per_network: int = _count(600, "Behaviour tests handed in by one network in an hour.", least=0)
    verify_per_network: int = _count(120, "Codes tried by one network in an hour.", least=0)
    send_budget_per_country: int = _count(1000, "Text messages to one country prefix in a day.", least=0)
    prefix_watch_from: int = _count(
        30, "Codes sent to the first digits of numbers in two days that are enough to judge them."
    )
    prefix_ratio: int = _count(20, "Percent of them verified, below which somebody is pumping.", least=0, most=100)
    dormant: int = _time(180 * DAY, "How long nobody logs in to an account that is called dormant.")
    # Calls of people with a session (core.gates.members).
    edits_per_account: int = _count(30, "Edits of one profile in an hour.", least=0)
    session_calls_per_session: int = _count(
        120, "Calls of one session in an hour that list or end sessions. A logout is always possible.", least=0
    )
    password_changes_per_account: int = _count(
        10, "Changes of one account's password in a day, by a right old password.", least=0
    )
    binds_per_account: int = _count(20, "Proved tries in a day to change the phone or email of one account.", least=0)
    exports_per_account: int = _count(10, "Exports of one account in a day, by a fresh login.", least=0)
    factor_changes_per_account: int = _count(
        30, "Changes of one account's factors in a day, by a fresh proof.", least=0
    )
    # Second steps (docs/contracts/factors.md section 4).
    step_tries: int = _count(5, "Wrong codes of second steps of one account, within step_window, before a pause.")
    step_window: int = _time(15 * MINUTE, "How long such wrong codes are counted.")
    step_tries_per_day: int = _count(20, "Wrong codes of second steps of one account in a day.")
    step_suspend_after: int = _count(
        100, "Wrong codes of second steps of one account in a row before codes of an app are suspended."
    )
    passkey_tries_per_network: int = _count(
        60, "Wrong passkeys of one network, within step_window, from which a captcha is asked."
    )
    tickets_per_account: int = _count(
        20,
        "Logins of one account in an hour that wait for a second step, from what the account does not know.",
        least=0,
    )
    refreshes_per_session: int = _count(
        60, "Refreshes of one session at once. Each hour gives as many again, one by one.", most=100_000
    )


def limit_rules() -> Mapping[str, tuple[int, LimitRule]]:
    """Return the default and the rule of each limit by its name, in the order of the table."""
    return {limit.name: (cast("int", limit.default), limit.metadata["rule"]) for limit in fields(Limits)}


NOBODYS_MEMORY: Final = 30 * DAY
"""How long failures at an unknown identifier are remembered. So no row that an attacker causes stays for a year."""


class SendClaim(NamedTuple):
    """Hold a quota that counts a sent code: the name and the rest of its key, and how many in which window (ms)."""

    quota: Quota
    key: tuple[str, ...]
    most: int
    window: int


def send_claims(
    limits: Limits, number: str, subscriber: str, networks: Sequence[Scale], *, solved: bool
) -> list[SendClaim]:
    """Return the quotas that count a sent code. One network gets a share of the number's codes, never all.

    `subscriber` is the caller's line or phone. Many of them stand behind one network of a carrier, so the widest
    network may do more, if a captcha was `solved` for this code.
    """
    widest = networks[-1].network
    scales = networks if networks[0].network == subscriber else (Scale(subscriber, 1), *networks)
    most = [limits.send_per_address * factor for _, factor in scales]
    if len(scales) > 1:
        whole = limits.send_per_network
        most[-1] = whole if solved else min(limits.send_per_address, whole)
    return [
        *number_claims(limits, number),
        SendClaim(Quota.SEND_SHARE_HOUR, (number, widest), limits.send_share_per_hour, HOUR),
        SendClaim(Quota.SEND_SHARE_DAY, (number, widest), limits.send_share_per_day, DAY),
        *(
            SendClaim(Quota.SEND_NETWORK_HOUR, (scale.network,), count, HOUR)
            for scale, count in zip(scales, most, strict=True)
        ),
    ]


def number_claims(limits: Limits, number: str) -> list[SendClaim]:
    """Return the quotas of one number, from which all networks together get codes."""
    return [
        SendClaim(Quota.SEND_NUMBER_MINUTE, (number,), limits.send_per_minute, MINUTE),
        SendClaim(Quota.SEND_NUMBER_HOUR, (number,), limits.send_per_hour, HOUR),
        SendClaim(Quota.SEND_NUMBER_DAY, (number,), limits.send_per_day, DAY),
    ]


def is_crowded(codes: int, limits: Limits) -> bool:
    """Return whether a network asked for so many `codes` in the last hour that each further one needs a captcha."""
    return codes >= limits.send_per_address


def crowd_steps(codes: int, limits: Limits) -> int:
    """Return how much harder a captcha is after so many `codes` of a network in the last hour: 0 to 4 steps."""
    return sum(2 * codes >= limits.send_per_address * times for times in (1, 2, 4, 8))


def kept_claims(limits: Limits, number: str, for_whom: str) -> list[SendClaim]:
    """Return the quotas of the codes that are kept for those whom the number's account knows.

    `for_whom` is "device" or "network": neighbours on the owner's network use up nothing of the owner's devices.
    """
    return [
        SendClaim(Quota.SEND_NUMBER_MINUTE, (number,), limits.send_per_minute, MINUTE),
        SendClaim(Quota.SEND_KEPT_HOUR, (number, for_whom), limits.send_kept_per_hour, HOUR),
        SendClaim(Quota.SEND_KEPT_DAY, (number, for_whom), limits.send_kept_per_day, DAY),
    ]


def kept_of(budget: int) -> int:
    """Return how much of a day's budget is kept for numbers that stand on accounts: a fifth."""
    return budget // 5


def network_budget(budget: int, limits: Limits) -> int:
    """Return how much of a day's budget one network may use: a tenth, but not less than an address may in an hour."""
    return max(budget // 10, limits.send_per_address)


def seconds_between_codes(limits: Limits) -> int:
    """Return how long to wait for the next code to one number, after one was sent: 0 if it may be sent at once."""
    return MINUTE // SECOND if limits.send_per_minute <= 1 else 0
