"""Define proofs of identity, the level that they reach together, and when a login must ask for one more.

Level 1 is one proof. Level 2 is two proofs of different kinds, or a passkey that verified its user.
(docs/contracts/factors.md sections 1 and 9.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.apps import App, SecondFactorRule
from menshen.core.time import DAY, Instant, after


class Method(StrEnum):
    """Name what was proved. The words are those of RFC 8176, but for FED and TRUSTED, which are ours."""

    PASSWORD = "pwd"
    SMS = "sms"
    OTP = "otp"
    """A code of an app or of a mailbox, or a recovery code."""
    DEVICE_KEY = "hwk"
    """A passkey that is bound to one device."""
    SYNCED_KEY = "swk"
    """A passkey that its owner's devices share."""
    USER = "user"
    """A passkey verified its user, by a PIN, a face or a finger."""
    FEDERATED = "fed"
    TRUSTED = "trusted"
    """The device proved itself at an earlier login. It is no second proof."""


class Factor(StrEnum):
    """Name the ways to prove identity again: what a client may choose. Further kinds are files of plug-ins."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY = "recovery"
    SMS = "sms"


BESIDE_PLUGINS: Final = frozenset({"passkey", "recovery"})
"""Kinds that people may enrol, and that are no plug-ins."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Hold what was proved, in order, and the level that it reaches."""

    methods: tuple[Method, ...]
    level: int = 1

    def joined(self, other: Proof) -> Proof:
        """Return this proof with a second factor behind it. It reaches level 2."""
        return Proof((*self.methods, *(each for each in other.methods if each not in self.methods)), 2)

    def trusting(self) -> Proof:
        """Return this proof with a trusted device behind it. Its level stays."""
        return Proof((*self.methods, Method.TRUSTED), self.level)

    def __str__(self) -> str:
        """Give the methods as a session's row holds them: words with spaces between them."""
        return " ".join(self.methods)


BY_PASSWORD: Final = Proof((Method.PASSWORD,))
BY_SMS: Final = Proof((Method.SMS,))
BY_MAIL: Final = Proof((Method.OTP,))


class Due(StrEnum):
    """Say what a login must ask for after its first proof."""

    NOTHING = "nothing"
    STEP = "step"
    """One more proof: a factor of the account, or the enrolment of one if it has none."""
    NOTICE = "notice"
    """Nothing yet: the app asks for a factor, and the time to enrol one is not over."""


def due(account: Account, app: App, proof: Proof, now: Instant) -> Due:
    """Judge a first proof. The strictest of the account, the app and the roles decides.

    An app whose rule is OFF still honours the account's own choice: no laxer app gets around it.
    """
    if proof.level >= 2:
        return Due.NOTHING
    if account.second_step:
        return Due.STEP
    if not asks(app, account):
        return Due.NOTHING
    return Due.NOTICE if now < enrol_until(app, account) else Due.STEP


def asks(app: App, account: Account) -> bool:
    """Return whether the app's rule asks this account for two proofs."""
    if app.second_factor is SecondFactorRule.REQUIRED:
        return True
    return is_required_for(app, account)


def is_required_for(app: App, account: Account) -> bool:
    """Return whether the account has a role for which the app requires two proofs, of it alone or of everyone."""
    if app.second_factor not in {SecondFactorRule.REQUIRED, SecondFactorRule.REQUIRED_FOR}:
        return False
    return not set(app.required_for_roles.split()).isdisjoint(account.roles.split())


def enrol_until(app: App, account: Account) -> Instant:
    """Return until when an account may log in without a factor although the app asks for one."""
    return after(max(app.second_factor_since, account.created_at), app.enrol_by * DAY)
