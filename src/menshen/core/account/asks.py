"""Define the requests about an account, and their results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from menshen.core.account.accounts import Account, Profile
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.gates.captcha import Presented
from menshen.core.identifiers import Kind


@dataclass(frozen=True, slots=True)
class Registration:
    """Sign up without proof (CareyShop). `phone` and `email` stay unverified claims, in canonical form.

    An app whose rule is `always` needs the captcha.
    """

    username: str
    password: str = field(repr=False)
    phone: str | None = None
    email: str | None = None
    profile: Profile = field(default_factory=Profile)
    unique_nickname: bool = False
    captcha: Presented | None = None


@dataclass(frozen=True, slots=True)
class PasswordReset:
    """Set a new password by a code sent to `subject`. If `username` is given, the account must also have that name."""

    kind: Kind
    subject: str
    purpose: Purpose
    code: str = field(repr=False)
    password: str = field(repr=False)
    username: str | None = None
    captcha: Presented | None = None


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """Set a new password by the old one. With `keep_session`, the caller's own session stays."""

    old_password: str = field(repr=False)
    password: str = field(repr=False)
    keep_session: bool = True


@dataclass(frozen=True, slots=True)
class Bind:
    """Replace the phone or email of the caller's account by a verified one.

    `code` was sent to `subject` with purpose BIND. If the session has no proof of identity from the last 10 minutes,
    `password` or `proof_code` must prove it. `proof_code` was sent to the current phone or email, with purpose PROOF.
    """

    kind: Kind
    subject: str
    code: str = field(repr=False)
    password: str | None = field(default=None, repr=False)
    proof_code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Deletion:
    """Delete the caller's account for good. `password` or `proof_code` proves identity in the request itself.

    `proof_code` was sent to the current phone or email, with purpose PROOF. With both, the password is judged.
    """

    password: str | None = field(default=None, repr=False)
    proof_code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProfileEdit:
    """Change profile fields, named as in `Profile`, and the username if one is given (as typed)."""

    fields: Mapping[str, object]
    username: str | None = None
    unique_nickname: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """Hold the account after a change."""

    account: Account
