"""Define the quotas of calls that a person with a session makes. (docs/security/attacks.md RS-11, decision 0055.)

A stranger may hold a stolen session. The owner needs some calls to end it: these are counted by session, so that the
stranger cannot use up the owner's. What needs a proof is counted after the proof.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from menshen.core.gates.limits import Limits, Quota
from menshen.core.time import CLOCK_BOUND, CLOCKS_APART, DAY, HOUR, Instant, after, seconds_until


class CountedBy(StrEnum):
    """Name whose calls a quota counts together."""

    ACCOUNT = "account"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class MemberQuota:
    """Describe the quota of a use case: at most `limit` of `Limits` in any `window` ms.

    With `after_proof`, the flow charges it itself, when the caller has proved their identity.
    """

    quota: Quota
    limit: str
    window: int
    by: CountedBy
    after_proof: bool = False

    def most(self, limits: Limits) -> int:
        """Return how many are allowed."""
        allowed: int = getattr(limits, self.limit)
        return allowed


EDITS: Final = MemberQuota(Quota.EDIT_ACCOUNT_HOUR, "edits_per_account", HOUR, CountedBy.ACCOUNT)
SESSION_CALLS: Final = MemberQuota(Quota.SESSION_CALLS_HOUR, "session_calls_per_session", HOUR, CountedBy.SESSION)
PASSWORD_CHANGES: Final = MemberQuota(
    Quota.PASSWORD_ACCOUNT_DAY, "password_changes_per_account", DAY, CountedBy.ACCOUNT, after_proof=True
)
BINDS: Final = MemberQuota(Quota.BIND_ACCOUNT_DAY, "binds_per_account", DAY, CountedBy.ACCOUNT, after_proof=True)
FRESH_BINDS: Final = replace(BINDS, by=CountedBy.SESSION)
"""Changes that only a recent login allows. A thief who spends them leaves the owner those by proof."""
EXPORTS: Final = MemberQuota(Quota.EXPORT_ACCOUNT_DAY, "exports_per_account", DAY, CountedBy.ACCOUNT, after_proof=True)
FACTOR_CHANGES: Final = MemberQuota(
    Quota.FACTORS_ACCOUNT_DAY, "factor_changes_per_account", DAY, CountedBy.ACCOUNT, after_proof=True
)

REFRESHES_IN: Final = HOUR
"""Each refresh pays for its share of this time in advance. As much may be paid in advance, and no more."""

SPENT_KEPT: Final = 1024
"""The most spent refresh tokens that are kept of a session. The next one takes the place of the oldest."""


def pay_refresh(paid_until: Instant, now: Instant, most: int) -> Instant:
    """Return until when the session has paid with one refresh more. `most` are allowed at once.

    An instant that no refresh can have paid for, not at a node whose clock is a little ahead either, does not count.
    """
    begin = paid_until if now < paid_until <= now + REFRESHES_IN + CLOCKS_APART else now
    return after(begin, REFRESHES_IN // most)


def pay_retry(paid_until: Instant, now: Instant, most: int) -> Instant:
    """Return until when the session has paid with a retry, which costs as much as a refresh and is never refused.

    It pays so little too far ahead that `pay_refresh` still counts it.
    """
    return Instant(min(pay_refresh(paid_until, now, most), now + REFRESHES_IN + CLOCK_BOUND))


def refresh_wait(paid_until: Instant, now: Instant) -> int | None:
    """Return the seconds to wait if `pay_refresh` gave an instant too far ahead, else None."""
    return seconds_until(paid_until - REFRESHES_IN, now) if paid_until > now + REFRESHES_IN else None
