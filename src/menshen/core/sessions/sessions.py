"""Sessions: how they open, slide and end. (docs/contracts/core.md section 3.)

            login ──> LIVE ──(idle or absolute limit)──> EXPIRED ──(refresh limit)──> swept
                       │  ^                                 │
              touch: slides expires_at              refresh: a new pair, LIVE again
                       │
                       └──(logout, newer login, password change, disabling, closing, admin)──> row deleted

A session that was ended has no row: there is nothing a cache, a restart or a bug could revive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from menshen.core.apps import App, SessionRule
from menshen.core.time import DAY, MINUTE, NEVER, Instant

MAX_SESSIONS: Final = 20
"""Under the rule `many`: the oldest goes when one more comes."""

TOUCH_EVERY: Final = MINUTE
"""A sliding session is written back at most this often (ms)."""

FRESH_FOR: Final = 10 * MINUTE
"""How long a proof of identity is good for changing a factor (ms)."""

REUSE_GRACE: Final = 30_000
"""A spent refresh that comes back within this (ms) is a client's retry; later it is a thief's."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """All in ms. `refresh` 0 means no refresh token is issued; `sliding` lets use push `expires_at` on."""

    idle: int
    absolute: int
    sliding: bool
    refresh: int = 0


SLIDING: Final = Lifetimes(idle=30 * DAY, absolute=180 * DAY, sliding=True)
"""weidu: 30 days sliding, 180 at most."""

FIXED: Final = Lifetimes(idle=30 * DAY, absolute=30 * DAY, sliding=False, refresh=31 * DAY)
"""CareyShop: 30 days, refresh a day longer; each refresh starts both anew (decision 0028)."""


@dataclass(frozen=True, slots=True)
class Session:
    """One live login. `session_id` is opaque and cannot authenticate; the token itself is nowhere.

    `slot` is what another login of the account must match to replace this one (None: nothing does).
    `sliding_ms` is how far use pushes `expires_at` on (0: it is fixed), never past `ends_at`.
    `proved_at` is when identity was last proved. Instants are epoch ms; no refresh token is `refresh_expires_at` 0.
    """

    session_id: str
    account_number: int
    app_id: int
    dialect: str
    platform: str
    slot: str | None
    device_id: str
    device_model: str
    device_name: str
    ip: str
    created_at: Instant
    seen_at: Instant
    proved_at: Instant
    expires_at: Instant
    ends_at: Instant
    sliding_ms: int
    refresh_expires_at: Instant = NEVER

    def live(self, now: Instant) -> bool:
        """Whether its token is good at `now`."""
        return now < self.expires_at and now < self.ends_at

    def refreshable(self, now: Instant) -> bool:
        """Whether its refresh token is good at `now`."""
        return now < self.refresh_expires_at

    def fresh(self, now: Instant) -> bool:
        """Whether identity was proved recently enough to change a factor."""
        return now - self.proved_at < FRESH_FOR

    def due_for_touch(self, now: Instant) -> bool:
        """Whether use at `now` should be written back."""
        return self.sliding_ms > 0 and now - self.seen_at >= TOUCH_EVERY


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session as its owner sees it: with the name of the app it was opened by, "" for one that is gone."""

    session: Session
    app: str


def slid(now: Instant, ends_at: Instant, sliding_ms: int) -> Instant:
    """The new `expires_at` of a sliding session used at `now`."""
    return Instant(min(now + sliding_ms, ends_at))


def canonical_platform(platform: str) -> str:
    """Platforms compare without case and trailing blanks (docs/contracts/careyshop.md section 4.4)."""
    return platform.rstrip().casefold()


def slot_of(app: App, house_rule: SessionRule, platform: str, device_id: str) -> str | None:
    """What makes two sessions of one account rivals under the app's rule, or None when nothing does."""
    rule = house_rule if app.session_rule is SessionRule.DIALECT else app.session_rule
    if rule is SessionRule.ONE_PER_PLATFORM:
        return f"platform:{canonical_platform(platform)}"
    if rule is SessionRule.ONE_PER_DEVICE and device_id:
        return f"device:{device_id}"
    return None
