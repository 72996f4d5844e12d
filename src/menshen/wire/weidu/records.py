"""Make the records of accounts and sessions in answers. (docs/contracts/weidu.md sections 2.2, 3.1, 5.5, 5.9.)

Must not decide who may see a record: the calls choose it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from menshen.core.account.accounts import Account, Gender
from menshen.core.identifiers import masked, national
from menshen.core.sessions.sessions import ListedSession

Id26 = Annotated[str, Meta(pattern="^[a-z0-9]{26}$")]
Millis = Annotated[int, Meta(ge=0, description="Epoch milliseconds, 0 = never.")]
Rate = int | float
_GENDERS: dict[Gender, Literal["", "男", "女"]] = {Gender.UNKNOWN: "", Gender.MALE: "男", Gender.FEMALE: "女"}


_Mobile = Annotated[str, Meta(description="`******` after a login, else masked; absent when not verified.")]
_Email = Annotated[str, Meta(description="Masked; absent after a login and when not verified.")]


class UserInfo(Struct, frozen=True, kw_only=True):
    """Describe the caller's own account, in the password login and `GET /users/info`."""

    id: Id26
    create_at: Millis
    update_at: Millis
    username: str
    mobile: _Mobile | UnsetType = UNSET
    email: _Email | UnsetType = UNSET
    real_name_verified: bool
    nickname: str
    avatar_url: str
    city: str
    province: str
    country: str
    gender: Annotated[int, Meta(ge=0, le=2, description="0 unknown, 1 male, 2 female.")]
    roles: str
    desc: str
    major: str
    level: str
    refund_rate: Rate
    dispute_rate: Rate
    serve_num: int
    work_num: int
    last_password_update: Millis


class CodeUserInfo(Struct, frozen=True, kw_only=True):
    """Describe the caller's own account in the SMS-code login: `id` is the account's number, `gender` a text."""

    id: int
    create_at: Millis
    update_at: Millis
    username: str
    nickname: str
    avatar_url: str
    city: str
    province: str
    country: str
    gender: Literal["", "男", "女"]
    level: str
    major: str
    desc: str
    refund_rate: float
    dispute_rate: float
    roles: str
    mobile: str
    email: str
    real_name_verified: bool


class PublicInfo(Struct, frozen=True, kw_only=True):
    """Describe another user's account, without contact data and without what a login takes."""

    id: Id26
    create_at: Millis
    nickname: str
    avatar_url: str
    city: str
    province: str
    country: str
    gender: Annotated[int, Meta(ge=0, le=2)]
    roles: str
    desc: str
    major: str
    level: str
    refund_rate: Rate
    dispute_rate: Rate
    serve_num: int
    work_num: int


class SessionInfo(Struct, frozen=True, kw_only=True):
    """Describe a live session of the caller. `id` can end the session and cannot authenticate."""

    id: str
    current: bool
    create_at: Millis
    last_activity_at: Millis
    expires_at: Millis
    app: str
    dialect: str
    platform: str
    device_id: str
    device_model: str
    device_name: str
    ip: str


def after_login(account: Account) -> UserInfo:
    """Return the record of the password login: a phone is `******`, an email is left out."""
    return _own(account, mobile="******" if account.phone else "", email=UNSET)


def own(account: Account) -> UserInfo:
    """Return the record of `GET /users/info`: verified phone and email are masked, others are left out."""
    return _own(
        account,
        mobile=masked(account.phone) if account.phone and account.phone_verified else UNSET,
        email=masked(account.email) if account.email and account.email_verified else UNSET,
    )


def _own(account: Account, mobile: str | UnsetType, email: str | UnsetType) -> UserInfo:
    profile = account.profile
    return UserInfo(
        id=account.public_id,
        create_at=account.created_at,
        update_at=account.updated_at,
        username=_username(account),
        mobile=mobile,
        email=email,
        real_name_verified=profile.real_name_verified,
        nickname=profile.nickname,
        avatar_url=profile.avatar_url,
        city=profile.city,
        province=profile.province,
        country=profile.country,
        gender=int(profile.gender),
        roles=account.roles,
        desc=profile.description,
        major=profile.major,
        level=profile.level,
        refund_rate=_rate(profile.refund_rate),
        dispute_rate=_rate(profile.dispute_rate),
        serve_num=profile.serve_num,
        work_num=profile.work_num,
        last_password_update=account.password_changed_at,
    )


def after_code_login(account: Account) -> CodeUserInfo:
    """Return the record of the SMS-code login: verified phone and email in full, others as ""."""
    profile = account.profile
    return CodeUserInfo(
        id=account.number,
        create_at=account.created_at,
        update_at=account.updated_at,
        username=_username(account),
        nickname=profile.nickname,
        avatar_url=profile.avatar_url,
        city=profile.city,
        province=profile.province,
        country=profile.country,
        gender=_GENDERS[profile.gender],
        level=profile.level,
        major=profile.major,
        desc=profile.description,
        refund_rate=float(profile.refund_rate),
        dispute_rate=float(profile.dispute_rate),
        roles=account.roles,
        mobile=national(account.phone) if account.phone and account.phone_verified else "",
        email=account.email if account.email and account.email_verified else "",
        real_name_verified=profile.real_name_verified,
    )


def public(account: Account) -> PublicInfo:
    """Return the record that each logged-in user may see."""
    profile = account.profile
    return PublicInfo(
        id=account.public_id,
        create_at=account.created_at,
        nickname=profile.nickname,
        avatar_url=profile.avatar_url,
        city=profile.city,
        province=profile.province,
        country=profile.country,
        gender=int(profile.gender),
        roles=account.roles,
        desc=profile.description,
        major=profile.major,
        level=profile.level,
        refund_rate=_rate(profile.refund_rate),
        dispute_rate=_rate(profile.dispute_rate),
        serve_num=profile.serve_num,
        work_num=profile.work_num,
    )


def session_info(listed: ListedSession, current_id: str) -> SessionInfo:
    """Return an entry of the session list. `current_id` is the caller's own session."""
    session = listed.session
    return SessionInfo(
        id=session.session_id,
        current=session.session_id == current_id,
        create_at=session.created_at,
        last_activity_at=session.seen_at,
        expires_at=session.over_at,
        app=listed.app,
        dialect=session.dialect,
        platform=session.platform,
        device_id=session.device_id,
        device_model=session.device_model,
        device_name=session.device_name,
        ip=session.ip,
    )


def _username(account: Account) -> str:
    return account.username_shown or account.username or ""


def _rate(value: float) -> int | float:
    """Return a whole rate as an integer, as in the password login's example."""
    return int(value) if float(value).is_integer() else value
