"""Define the account of a person. It is the same for all dialects. (docs/contracts/core.md section 1.)"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from menshen.core.identifiers import Identifier, Kind
from menshen.core.time import NEVER, Instant


class Status(StrEnum):
    """Name the states. ACTIVE can log in. DISABLED cannot until it is enabled. CLOSED has no identifiers any more."""

    ACTIVE = "active"
    DISABLED = "disabled"
    CLOSED = "closed"


class Gender(IntEnum):
    """Name the genders. Both dialects use the numbers 0 (unknown or not given), 1 (male) and 2 (female)."""

    UNKNOWN = 0
    MALE = 1
    FEMALE = 2


@dataclass(frozen=True, slots=True)
class Profile:
    """Hold what people write about themselves, and the figures that a product keeps about them. Empty text is ""."""

    nickname: str = ""
    avatar_url: str = ""
    city: str = ""
    province: str = ""
    country: str = ""
    gender: Gender = Gender.UNKNOWN
    birthday: str = ""
    description: str = ""
    level: str = ""
    major: str = ""
    real_name_verified: bool = False
    refund_rate: float = 0.0
    dispute_rate: float = 0.0
    serve_num: int = 0
    work_num: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """Hold one person's account. Identifiers are canonical. `username_shown` keeps the upper and lower case as chosen.

    `password_hash` is "" if there is none. `password_version` increases at each change, so that a login that was
    verified against an older hash is detected. `login_at` and `login_ip` belong to the latest login, and `previous_*`
    to the login before it. With `second_step`, its owner wants two proofs at each login. `factors_version` increases
    at each change of a factor. `closes_at` is when the account is deleted, as its owner asked, 0 = never: a login
    before takes that back. Instants are epoch ms, 0 = never.
    """

    number: int
    public_id: str
    username: str | None = None
    username_shown: str | None = None
    phone: str | None = None
    phone_verified: bool = False
    email: str | None = None
    email_verified: bool = False
    status: Status = Status.ACTIVE
    roles: str = "general_user"
    password_hash: str = field(default="", repr=False)
    password_version: int = 0
    password_changed_at: Instant = NEVER
    created_at: Instant = NEVER
    updated_at: Instant = NEVER
    login_at: Instant = NEVER
    login_ip: str = ""
    previous_login_at: Instant = NEVER
    previous_login_ip: str = ""
    second_step: bool = False
    factors_version: int = 0
    closes_at: Instant = NEVER
    profile: Profile = field(default_factory=Profile)

    @property
    def active(self) -> bool:
        """Return whether the account may log in and have sessions."""
        return self.status is Status.ACTIVE

    @property
    def proved(self) -> tuple[str, ...]:
        """Return the verified phone and email, the phone first. An unverified one may belong to another person."""
        both = ((self.phone, self.phone_verified), (self.email, self.email_verified))
        return tuple(subject for subject, verified in both if subject and verified)

    @property
    def main_contact(self) -> tuple[str, ...]:
        """Return the verified email, else the verified phone, else (). Notices that need only one address go to it."""
        return self.proved[-1:]

    def owns(self, identifier: Identifier) -> bool:
        """Return whether `identifier` is verified for this account. Only then it logs in or receives codes."""
        if identifier.kind is Kind.PHONE:
            return self.phone == identifier.canonical and self.phone_verified
        if identifier.kind is Kind.EMAIL:
            return self.email == identifier.canonical and self.email_verified
        return self.username == identifier.canonical


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Hold the data of a registration. Storage assigns the number."""

    public_id: str
    username: str
    username_shown: str
    phone: str | None = None
    phone_verified: bool = False
    email: str | None = None
    email_verified: bool = False
    password_hash: str = field(default="", repr=False)
    created_at: Instant = NEVER
    profile: Profile = field(default_factory=Profile)


_TWITTER_EPOCH = 1_288_834_974_657


def time_ordered_name(now: Instant, random_bits: int) -> str:
    """Return a 19-digit username that sorts by time, as the documents show (`1313354987295739904`).

    `random_bits` gives 22 bits, so that two registrations in one millisecond rarely get the same name. Storage refuses
    a duplicate, and the caller tries again with new bits.
    """
    return str((now - _TWITTER_EPOCH << 22) | (random_bits & 0x3FFFFF))
