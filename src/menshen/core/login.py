"""What may be asked of the flows, and what they answer. Frozen records: no request, row or driver crosses.

Asks go down, outcomes come up. Every outcome is a sum type; a dialect that forgets an arm does not type-check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from menshen.core.accounts import Account, Profile
from menshen.core.apps import App, SessionRule
from menshen.core.captcha import Presented
from menshen.core.devices import Device
from menshen.core.identifiers import Kind
from menshen.core.one_time_codes import Purpose
from menshen.core.problems import Denied
from menshen.core.sessions import Lifetimes, Session
from menshen.core.tokens import TokenStyle


@dataclass(frozen=True, slots=True)
class House:
    """The manners of a dialect: name, token alphabet, lifetimes, rule for rivals, least length of a new password."""

    dialect: str
    style: TokenStyle
    lifetimes: Lifetimes
    session_rule: SessionRule
    password_min: int = 8


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from. `network` is the /24 or /64 that limits count by; `language` "zh" or "en".

    `presented` is the digest of the session token that came with it, b"" for none: a login of the same account
    takes that session's place (ASVS 5.0 7.2.4).
    """

    app: App
    house: House
    ip: str
    network: str
    language: str = "zh"
    device: Device = field(default_factory=Device)
    presented: bytes = field(default=b"", repr=False)

    @property
    def password_min(self) -> int:
        """How many characters a new password must have: the app's word, else the house's."""
        return self.app.password_min or self.house.password_min


# --- asks ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """`login_id` as typed: username, phone or email. `platform` "" takes the dialect's name."""

    login_id: str
    password: str = field(repr=False)
    platform: str = ""
    captcha: Presented | None = None


@dataclass(frozen=True, slots=True)
class CodeLogin:
    """`subject` is a canonical phone (E.164) or email."""

    subject: str
    code: str = field(repr=False)
    captcha: Presented
    platform: str = ""


@dataclass(frozen=True, slots=True)
class SendCode:
    """Send a code. `captcha` None only where the contract asks for none (CareyShop)."""

    kind: Kind
    subject: str
    purpose: Purpose
    captcha: Presented | None


@dataclass(frozen=True, slots=True)
class CodeTry:
    """A code presented for `purpose` at `subject`."""

    kind: Kind
    subject: str
    purpose: Purpose
    code: str = field(repr=False)


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
class CodeSignup:
    """Sign up with a code to `phone` (E.164), and log in."""

    phone: str
    code: str = field(repr=False)
    password: str = field(repr=False)
    captcha: Presented | None = None


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
class SolvedChallenge:
    """A solved behaviour test, as the client sent it (base64 of ALTCHA's payload)."""

    payload: str = field(repr=False)


# --- outcomes --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Granted:
    """A session that is durable. `account.previous_login_*` are those before it; `refresh` "" when none is issued."""

    account: Account
    session: Session
    token: str = field(repr=False)
    csrf: str = field(repr=False)
    refresh: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who is calling: a live session and its account."""

    session: Session
    account: Account


@dataclass(frozen=True, slots=True)
class Bearer:
    """The little that a token check tells: what `GET /auth/verify` puts in headers."""

    account_id: str
    account_number: int
    roles: str


@dataclass(frozen=True, slots=True)
class Done:
    """It happened, and there is nothing more to say."""


@dataclass(frozen=True, slots=True)
class CodeSent:
    """Accepted for sending; the same for known and unknown numbers."""


@dataclass(frozen=True, slots=True)
class CaptchaPass:
    """A captcha token (26 characters), good for `PASS_LIFETIME`."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaptchaTicket:
    """An image captcha was opened: `session_id` is 32 hex characters, or "" when none is asked for."""

    session_id: str


@dataclass(frozen=True, slots=True)
class CaptchaImage:
    """A drawn captcha: PNG bytes."""

    png: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Edited:
    """The account after a change."""

    account: Account


LoginOutcome = Granted | Denied
ActionOutcome = Done | Denied
