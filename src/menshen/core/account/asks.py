"""What may be asked about an account, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from menshen.core.account.accounts import Account, Profile
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.gates.captcha import Presented
from menshen.core.identifiers import Kind


@dataclass(frozen=True, slots=True)
class Registration:
    """Sign up without proof (CareyShop): `phone` and `email` stay unverified claims, in canonical form."""

    username: str
    password: str = field(repr=False)
    phone: str | None = None
    email: str | None = None
    profile: Profile = field(default_factory=Profile)
    unique_nickname: bool = False


@dataclass(frozen=True, slots=True)
class PasswordReset:
    """A new password by a code to `subject`. `username` given: the account must have that name too."""

    kind: Kind
    subject: str
    purpose: Purpose
    code: str = field(repr=False)
    password: str = field(repr=False)
    username: str | None = None
    captcha: Presented | None = None


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """A new password by the old one; `keep_session` spares the caller's own session."""

    old_password: str = field(repr=False)
    password: str = field(repr=False)
    keep_session: bool = True


@dataclass(frozen=True, slots=True)
class Bind:
    """A verified phone or email for the caller's account, replacing the old one.

    `code` was sent to `subject` with purpose BIND. Unless the session was proved within 10 minutes,
    `password` or `proof_code` (sent to the account's present phone or email, purpose PROOF) proves it now.
    """

    kind: Kind
    subject: str
    code: str = field(repr=False)
    password: str | None = field(default=None, repr=False)
    proof_code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProfileEdit:
    """Changed profile fields by their `Profile` name, and a new username if any (as typed)."""

    fields: Mapping[str, object]
    username: str | None = None
    unique_nickname: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """The account after a change."""

    account: Account
