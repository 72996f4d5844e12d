"""Define the requests to log in.

`second_code` is a TOTP or recovery code that came along with the first proof, "" for none. It is judged after a right
first proof only. (docs/contracts/factors.md section 2.)
"""

from __future__ import annotations

from dataclasses import dataclass, field

from menshen.core.account.accounts import Profile
from menshen.core.gates.captcha import Presented


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """Log in with a password. `login_id` is a username, phone or email as typed.

    If `platform` is "", the session gets the name of the dialect as its platform.
    """

    login_id: str
    password: str = field(repr=False)
    platform: str = ""
    captcha: Presented | None = None
    second_code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CodeLogin:
    """Log in with a code. `subject` is a canonical phone (E.164) or email. `captcha` is None if none was presented."""

    subject: str
    code: str = field(repr=False)
    captcha: Presented | None
    platform: str = ""
    second_code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CodeSignup:
    """Sign up with a code that was sent to `subject`, a canonical phone (E.164) or email, and log in.

    Without a `password` (None) the account has none. `profile` holds what the person wrote about themselves.
    """

    subject: str
    code: str = field(repr=False)
    password: str | None = field(repr=False)
    captcha: Presented | None = None
    profile: Profile = field(default_factory=Profile)
