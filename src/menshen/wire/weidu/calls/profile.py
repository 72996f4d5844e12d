"""Show and edit accounts: GET /users/info, PUT /users/update. (docs/contracts/weidu.md sections 5.5 and 5.6.)"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import parse_qsl

from msgspec import UNSET, Meta, Struct, UnsetType

from menshen.core.account.accounts import Gender
from menshen.core.account.asks import Edited, ProfileEdit
from menshen.core.account.profiles import TEXTS
from menshen.core.problems import Denied, ProblemCode
from menshen.wire.weidu.call import PrivateCall
from menshen.wire.weidu.decode import NoBody, Whole
from menshen.wire.weidu.envelope import Ok, Reply, ok
from menshen.wire.weidu.problems import invalid
from menshen.wire.weidu.records import PublicInfo, UserInfo, own, public

_ACCOUNT_ID: Final = re.compile(r"[a-z0-9]{26}", re.ASCII)


def _meta(field: str) -> Meta:
    """Describe a text of a profile. The flow refuses what the core does not allow."""
    rule = TEXTS[field]
    return Meta(max_length=rule.most, extra_json_schema={"pattern": rule.pattern})


_Name = Annotated[str, _meta("city"), Whole(TEXTS["city"].pattern)]
_Nickname = Annotated[str, _meta("nickname"), Whole(TEXTS["nickname"].pattern)]
_Avatar = Annotated[str, _meta("avatar_url"), Whole(TEXTS["avatar_url"].pattern)]
_Description = Annotated[str, _meta("description"), Whole(TEXTS["description"].pattern)]
_Gender = Literal[0, 1, 2, "", "男", "女"]
GENDERS: Final[dict[int | str, Gender]] = {
    0: Gender.UNKNOWN,
    1: Gender.MALE,
    2: Gender.FEMALE,
    "": Gender.UNKNOWN,
    "男": Gender.MALE,
    "女": Gender.FEMALE,
}
"""What an edit takes for each gender: a number, or the text of a code login."""


class UpdateRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take the fields to change. Absent fields stay."""

    server_fields: ClassVar[frozenset[str]] = frozenset(
        {
            *("id", "user_id", "number", "create_at", "update_at", "delete_at", "status"),
            *("mobile", "mobile_verified", "phone", "phone_verified", "email", "email_verified", "real_name_verified"),
            *("roles", "role", "is_admin", "refund_rate", "dispute_rate", "serve_num", "work_num"),
            *("password", "passwd", "last_password_update", "last_login_at"),
        }
    )

    username: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    nickname: _Nickname | UnsetType = UNSET
    avatar_url: _Avatar | UnsetType = UNSET
    city: _Name | UnsetType = UNSET
    province: _Name | UnsetType = UNSET
    country: _Name | UnsetType = UNSET
    gender: _Gender | UnsetType = UNSET
    level: _Name | UnsetType = UNSET
    major: _Name | UnsetType = UNSET
    desc: _Description | UnsetType = UNSET


class OwnInfoAnswer(Ok, frozen=True, kw_only=True):
    """Answer the caller's own account."""

    user_info: UserInfo


class PublicInfoAnswer(Ok, frozen=True, kw_only=True):
    """Answer another user's account."""

    user_info: PublicInfo


async def get(call: PrivateCall, body: NoBody) -> Reply:
    """Return an account: the whole record without `user_id` or for the caller's own, else the public one.

    The caller may also use the number that the SMS-code login returns as `id`. The number of another account is not
    found, because numbers can be guessed.
    """
    wanted = _user_id(call.query)
    account = call.caller.account
    if wanted in {"", account.public_id, str(account.number)}:
        return ok(OwnInfoAnswer(user_info=own(account)))
    found = await call.flows.account.find(wanted) if _ACCOUNT_ID.fullmatch(wanted) else None
    if found is None:
        return await call.refuse(Denied(ProblemCode.NOT_FOUND))
    return ok(PublicInfoAnswer(user_info=public(found)))


async def put(call: PrivateCall, body: UpdateRequest) -> Reply:
    """Change the account and return its new record."""
    fields: dict[str, object] = {
        name: value
        for name, value in (
            ("nickname", body.nickname),
            ("avatar_url", body.avatar_url),
            ("city", body.city),
            ("province", body.province),
            ("country", body.country),
            ("gender", body.gender if body.gender is UNSET else GENDERS[body.gender]),
            ("level", body.level),
            ("major", body.major),
            ("description", body.desc),
        )
        if value is not UNSET
    }
    username = None if body.username is UNSET else body.username
    if not fields and username is None:
        return ok(OwnInfoAnswer(user_info=own(call.caller.account)))
    match await call.flows.account.edit_profile(ProfileEdit(fields, username), call.caller, call.origin):
        case Denied() as denied:
            return await call.refuse(denied, {"description": "desc"})
        case Edited(account=account):
            return ok(OwnInfoAnswer(user_info=own(account)))


def _user_id(query: str) -> str:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        raise invalid("user_id") from None
    values = [value for key, value in pairs if key == "user_id"]
    if len(values) > 1:
        raise invalid("user_id")
    return values[0] if values else ""
