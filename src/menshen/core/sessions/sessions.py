"""Define sessions: how they open, are extended and end. (docs/contracts/core.md section 3.)

            login ──> LIVE ──(idle or absolute limit)──> EXPIRED ──(refresh limit)──> swept
                       │  ^                                 │
              touch: slides expires_at              refresh: a new pair, LIVE again
                       │
                       └──(logout, newer login, password change, disabling, closing, admin)──> row deleted

An ended session has no row. So no cache, restart or bug can make it valid again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from menshen.core.apps import App, SessionRule
from menshen.core.networks import shortened
from menshen.core.plain_text import plain
from menshen.core.text.typed import shown
from menshen.core.time import DAY, MINUTE, NEVER, Instant

MAX_SESSIONS: Final = 20
"""Most sessions of an account under the rule `many`. A further session ends the oldest one."""

TOUCH_EVERY: Final = MINUTE
"""Shortest time between two writes of the last use of a sliding session (ms)."""

FRESH_FOR: Final = 10 * MINUTE
"""How long a proof of identity allows changes of a factor (ms)."""

REUSE_GRACE: Final = 30_000
"""A used refresh token that comes again within this time (ms) is a client's retry; later it counts as stolen.

During this time its new pair is kept sealed, and the same client can get it again."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Hold lifetimes in ms. With `refresh` 0, no refresh token is issued. With `sliding`, use extends `expires_at`."""

    idle: int
    absolute: int
    sliding: bool
    refresh: int = 0


SLIDING: Final = Lifetimes(idle=30 * DAY, absolute=180 * DAY, sliding=True)
"""weidu: 30 days after the last use, 180 days at most."""

FIXED: Final = Lifetimes(idle=30 * DAY, absolute=30 * DAY, sliding=False, refresh=31 * DAY)
"""CareyShop: 30 days, and the refresh token one day more. Each refresh starts both again (decision 0028)."""


@dataclass(frozen=True, slots=True)
class Session:
    """Hold one session. `session_id` is opaque and cannot authenticate. The token itself is not stored.

    A login of the account with an equal `slot` replaces this session. With None, no login replaces it. Each use sets
    `expires_at` to `sliding_ms` later (0: it is fixed), but never after `ends_at`. `proved_at` is the last time when
    the user proved the identity. Instants are epoch ms. Without a refresh token, `refresh_expires_at` is 0.
    `level` is 1 for one proof and 2 for two. `methods` are words of `core.factors.proofs.Method` with spaces between
    them. `second_at` is the last time when a second factor was proved, 0 for never.
    `refreshes` counts its refreshes, and `refresh_paid_until` limits how often they come (`core.gates.members`).
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
    refreshes: int = 0
    refresh_paid_until: Instant = NEVER
    level: int = 1
    methods: str = ""
    second_at: Instant = NEVER

    @property
    def over_at(self) -> Instant:
        """Return when its token ends, if no use before moves the end."""
        return min(self.expires_at, self.ends_at)

    def live(self, now: Instant) -> bool:
        """Return whether its token is valid at `now`."""
        return now < self.over_at

    def refreshable(self, now: Instant) -> bool:
        """Return whether its refresh token is valid at `now`."""
        return now < self.refresh_expires_at

    def fresh(self, now: Instant) -> bool:
        """Return whether the last proof of identity is recent enough to change a factor."""
        return now - self.proved_at < FRESH_FOR

    def fresh_second(self, now: Instant) -> bool:
        """Return whether the last proof by a second factor is recent enough."""
        return now - self.second_at < FRESH_FOR

    def due_for_touch(self, now: Instant) -> bool:
        """Return whether a use at `now` should be written to storage."""
        return self.sliding_ms > 0 and now - self.seen_at >= TOUCH_EVERY


@dataclass(frozen=True, slots=True)
class ListedSession:
    """Hold a session as its owner sees it, with the name of its app. The name is "" if the app no longer exists.

    Without a fresh proof, its address is shortened. (docs/contracts/factors.md section 8.)
    """

    session: Session
    app: str


def listed(sessions: Iterable[Session], apps: Mapping[int, str], now: Instant, *, in_full: bool) -> list[ListedSession]:
    """Return the live ones of `sessions` as their owner sees them. `apps` maps numbers of apps to names.

    Unless `in_full`, their addresses are shortened: a stolen session must not tell where its owner is.
    Older and imported rows may hold text that is refused today, so their texts are made plain.
    """
    return [
        ListedSession(
            replace(
                session,
                platform=shown(plain(session.platform)),
                device_id=shown(plain(session.device_id)),
                device_model=shown(plain(session.device_model)),
                device_name=shown(plain(session.device_name)),
                ip=session.ip if in_full else shortened(session.ip),
            ),
            apps.get(session.app_id, ""),
        )
        for session in sessions
        if session.live(now)
    ]


def slid(now: Instant, ends_at: Instant, sliding_ms: int) -> Instant:
    """Return the new `expires_at` of a sliding session that is used at `now`."""
    return Instant(min(now + sliding_ms, ends_at))


def canonical_platform(platform: str) -> str:
    """Return the platform plain, case-folded, without invisible characters and trailing blanks.

    (docs/contracts/careyshop.md section 4.4.)
    """
    return shown(plain(platform.rstrip())).rstrip().casefold()


def slot_of(app: App, house_rule: SessionRule, platform: str, device_id: str) -> str | None:
    """Return the slot of a session under the rule of the app, or None.

    Two live sessions of one account never have the same slot: the newer one replaces the older one.
    """
    rule = house_rule if app.session_rule is SessionRule.DIALECT else app.session_rule
    if rule is SessionRule.ONE_PER_PLATFORM:
        return f"platform:{canonical_platform(platform)}"
    if rule is SessionRule.ONE_PER_DEVICE and device_id:
        return f"device:{device_id}"
    return None
