"""Define pending logins: a first proof was right, and a second one is due. (docs/contracts/factors.md section 3.)

    first proof ──> PENDING ──right step──> a session
                       │ └──5 wrong steps, 300 s──> dead
                       └──a change of the account, its factors, its sessions or the epoch──> row deleted, or refused

A pending login is no session: its ticket is refused wherever a token is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from menshen.core.factors.proofs import Method, Proof
from menshen.core.rules import Origin
from menshen.core.time import SECOND, Instant

LIFETIME: Final = 300 * SECOND
"""Lifetime of a pending login, from the first proof (ms)."""

TRIES: Final = 5
"""Wrong steps after which a pending login is dead."""

MOST_LIVE: Final = 3
"""Live pending logins of one account and network. A further one ends the oldest."""


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """Hold a login that waits for its second step. The ticket itself is not stored.

    `began` is the method of the first proof in the audit trail: it chooses the form of the answer. `methods` are the
    words of its `Proof`. The versions are those of the account at the first proof. `network` is the narrowest network.
    `device` is the digest of the device id, b"" for none. In a browser, `in_browser` is 1, and a cookie binds it.
    `replaces` is the digest of the session token that the login's request carried, and `cookie` that of its cookie.
    With `enroll`, the account has no factor, and its ticket opens the enrolment alone. `phone_due` is 1 until an SMS
    code to the proved phone allowed that. `tries` counts the steps so far.
    """

    ticket: bytes = field(repr=False)
    account_number: int
    app_id: int
    dialect: str
    platform: str
    began: str
    methods: str
    password_version: int
    factors_version: int
    network: str
    device: bytes
    in_browser: int
    replaces: bytes = field(repr=False)
    cookie: bytes = field(repr=False)
    enroll: int
    phone_due: int
    created_at: Instant
    expires_at: Instant
    tries: int = 0

    @property
    def proof(self) -> Proof:
        """Return the first proof."""
        return Proof(tuple(Method(word) for word in self.methods.split()))

    def live(self, now: Instant) -> bool:
        """Return whether a step may still complete it."""
        return now < self.expires_at and self.tries < TRIES

    def fits(self, origin: Origin, device: bytes, *, cookie_fits: bool) -> bool:
        """Return whether a request may complete it: the same app, dialect, and device, browser or network.

        `device` is the digest of the request's device id. `cookie_fits`: it has the cookie that was set with the
        ticket.
        """
        if (self.app_id, self.dialect, self.device) != (origin.app.app_id, origin.rules.dialect, device):
            return False
        if self.in_browser:
            return cookie_fits
        return bool(self.device) or self.network == origin.network
