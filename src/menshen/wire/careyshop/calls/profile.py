"""Show and edit the caller's account: get.user.item, get.user.info and set.user.item.

(docs/contracts/careyshop.md sections 2.4, 4.3, 5.3 and 5.4.)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, cast

from menshen.core.account.accounts import Account
from menshen.core.account.asks import ProfileEdit
from menshen.core.identifiers import national
from menshen.core.time import SECOND
from menshen.wire.careyshop import rules, texts
from menshen.wire.careyshop.call import Call
from menshen.wire.careyshop.described.answers import Changed, Level, User, UserInfo, UserItem
from menshen.wire.careyshop.described.fields import BIRTHDAY, CLIENT_ID, HEAD_PIC, NICKNAME, SEX, reads
from menshen.wire.careyshop.parameters import Parameters
from menshen.wire.careyshop.problems import Refused, settled
from menshen.wire.careyshop.public_rules import SHANGHAI
from menshen.wire.careyshop.settings import Settings

# Each parameter, with the field of the profile and its rule.
_EDITABLE: Final[dict[str, tuple[str, Callable[[Parameters], object]]]] = {
    "nickname": ("nickname", rules.nickname),
    "head_pic": ("avatar_url", rules.head_pic),
    "sex": ("gender", rules.sex),
    "birthday": ("birthday", rules.birthday),
}


def moment(instant: int) -> str:
    """Return epoch ms as `Y-m-d H:i:s` in Shanghai, or "" for never."""
    if instant <= 0:
        return ""
    return f"{datetime.fromtimestamp(instant // SECOND, UTC).astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def fields(account: Account, shop: Settings) -> User:
    """Return the 18 fields of an account. `last_login` and `last_ip` describe the login before this one."""
    return {
        "user_id": account.number,
        "username": account.username_shown or account.username or "",
        "mobile": national(account.phone or ""),
        "is_mobile": int(account.phone_verified),
        "email": account.email or "",
        "is_email": int(account.email_verified),
        "nickname": account.profile.nickname,
        "head_pic": account.profile.avatar_url,
        "sex": int(account.profile.gender),
        "birthday": account.profile.birthday,
        "user_level_id": shop.user_level_id,
        "user_address_id": 0,
        "group_id": shop.group_id,
        "last_login": moment(account.previous_login_at),
        "last_ip": account.previous_login_ip,
        "status": int(account.active),
        "create_time": moment(account.created_at),
        "update_time": moment(account.updated_at),
    }


@reads(CLIENT_ID)
async def get_info(call: Call) -> UserInfo:
    """Return the caller's own account. The requested number is ignored."""
    rules.client_id(call.parameters)
    return {**fields(call.who().account, call.settings), "last_ip_region": ""}


@reads(CLIENT_ID)
async def get_item(call: Call) -> UserItem:
    """Return the account as `get_info` does, with the shop's fields."""
    rules.client_id(call.parameters)
    shop = call.settings
    level: Level = {"name": shop.user_level_name, "icon": shop.user_level_icon, "discount": shop.user_level_discount}
    return {
        **fields(call.who().account, shop),
        "get_user_money": {"total_money": 0, "balance": 0, "lock_balance": 0, "points": 0, "lock_points": 0},
        "get_user_level": level,
        "get_auth_group": {"name": shop.group_name, "status": 1},
        "last_ip_region": "",
    }


@reads(CLIENT_ID, optional=(NICKNAME, HEAD_PIC, SEX, BIRTHDAY))
async def set_item(call: Call) -> Changed:
    """Change the given fields of nickname, head_pic, sex and birthday. All others stay."""
    who = own_account(call)
    changed = {name: value for name, (_, rule) in _EDITABLE.items() if (value := rule(call.parameters)) is not None}
    edit = ProfileEdit({_EDITABLE[name][0]: value for name, value in changed.items()}, unique_nickname=True)
    edited = settled(await call.flows.account.edit_profile(edit, call.who(), call.origin))
    return cast("Changed", {"client_id": who, **changed, "update_time": moment(edited.account.updated_at)})


def own_account(call: Call) -> int:
    """Return the number in `client_id`, which must be the caller's.

    Raises:
        Refused: its rule fails; 403 for another account's number.
    """
    number = rules.client_id(call.parameters)
    if number != call.who().account.number:
        raise Refused(texts.FORBIDDEN, 403)
    return number
