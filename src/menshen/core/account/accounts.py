"""The account: who somebody is, whatever dialect they speak. (docs/contracts/core.md section 1.)"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from menshen.core.identifiers import Identifier, Kind
from menshen.core.time import NEVER, Instant


class Status(StrEnum):
    """ACTIVE can log in; DISABLED cannot until enabled again; CLOSED has given up its identifiers for good."""

    ACTIVE = "active"
    DISABLED = "disabled"
    CLOSED = "closed"


class Gender(IntEnum):
    """0 unknown or not told, 1 male, 2 female: the numbers of both dialects."""

    UNKNOWN = 0
    MALE = 1
    FEMALE = 2


@dataclass(frozen=True, slots=True)
class Profile:
    """What people say about themselves, and the figures a product keeps about them. Empty text is ""."""

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
    """One person's account. Identifiers are canonical; `username_shown` keeps the case it was chosen in.

    `password_hash` is "" when there is none; `password_version` rises at each change, so that a login
    judged against an older hash can be told. `login_at`/`login_ip` are the latest login, `previous_*`
    the one before it. Instants are epoch ms, 0 = never.
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
    profile: Profile = field(default_factory=Profile)

    @property
    def active(self) -> bool:
        """Whether it may log in and hold sessions."""
        return self.status is Status.ACTIVE

    @property
    def proved(self) -> tuple[str, ...]:
        """The phone and email that are proved to be this account's, the phone first: what it only claims is others'."""
        both = ((self.phone, self.phone_verified), (self.email, self.email_verified))
        return tuple(subject for subject, verified in both if subject and verified)

    @property
    def main_contact(self) -> tuple[str, ...]:
        """The proved email, else the proved phone, () for neither: where a notice goes that need not go to both."""
        return self.proved[-1:]

    def owns(self, identifier: Identifier) -> bool:
        """Whether `identifier` is proved to be this account's: only then it logs in or receives codes."""
        if identifier.kind is Kind.PHONE:
            return self.phone == identifier.canonical and self.phone_verified
        if identifier.kind is Kind.EMAIL:
            return self.email == identifier.canonical and self.email_verified
        return self.username == identifier.canonical


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What registration hands to storage, which gives the number."""

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
    """A 19-digit username that sorts by time, as the documents show (`1313354987295739904`).

    `luck` gives 22 bits, so that two registrations of one millisecond rarely meet; storage refuses a
    twin and the caller draws again.
    """
    return str((now - _TWITTER_EPOCH << 22) | (random_bits & 0x3FFFFF))
