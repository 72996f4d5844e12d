"""Define the links in notices that say "that was not me", and what follows from one. (decision 0080.)"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.keys import Keyring, Use
from menshen.core.time import DAY, NEVER, Instant
from menshen.core.tokens import base32

LIFETIME: Final = 7 * DAY
"""How long a link is good (ms)."""

_MAILBOX: Final = "security-link-mailbox"


@dataclass(frozen=True, slots=True)
class SecurityAct:
    """Name what a notice tells of: the account, and the session that did it, "" for none."""

    account_number: int
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class SecurityLink:
    """Hold a link. The secret in it is not stored. `session_id` is "" for an act that no session did.

    `mailbox` is a keyed digest of the address that the link was sent to. Instants are epoch ms; `used_at` is 0 while it
    was not used.
    """

    account_number: int
    session_id: str
    mailbox: bytes = field(repr=False)
    created_at: Instant
    expires_at: Instant
    used_at: Instant = NEVER

    def live(self, now: Instant) -> bool:
        """Return whether it can be used at `now`."""
        return not self.used_at and now < self.expires_at


@dataclass(frozen=True, slots=True)
class NotMe:
    """Say what the use of a link did beside ending all sessions. `password_ended`: the old password works no more.

    Then the owner has to set a new one by a code to the phone or mailbox.
    """

    password_ended: bool


def secret_of(keyring: Keyring, act: SecurityAct, subject: str, template: str, now: Instant) -> str:
    """Return the 26 characters of the link about one act. It takes the keys to make them."""
    return base32(keyring.mac(Use.LINK, str(act.account_number), act.session_id, subject, template, str(now))[:16])


def mailbox_of(keyring: Keyring, subject: str) -> bytes:
    """Return what stands for an address in the row of a link."""
    return keyring.counter_key(_MAILBOX, subject)


def may_end_password(keyring: Keyring, account: Account, link: SecurityLink) -> bool:
    """Return whether the old password may end: the owner can set a new one by what the link was sent to.

    A thief may have replaced the phone or email. Then the password may be all that the owner has left, and stays.
    """
    return bool(account.password_hash) and any(
        mailbox_of(keyring, subject) == link.mailbox for subject in account.proved
    )
