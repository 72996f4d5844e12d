"""Describe the `data` of each call's success, as the handlers return it. Names and order are those of the wire.

Times are `Y-m-d H:i:s` in Asia/Shanghai, "" for never; expiries are Unix seconds. (docs/contracts/careyshop.md sections
2.4, 4.3 and 5.)
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class User(TypedDict):
    """Describe an account. `last_login` and `last_ip` are those of the login before this one."""

    user_id: int
    username: str
    mobile: str
    is_mobile: int
    email: str
    is_email: int
    nickname: str
    head_pic: str
    sex: int
    birthday: str
    user_level_id: int
    user_address_id: int
    group_id: int
    last_login: str
    last_ip: str
    status: int
    create_time: str
    update_time: str


class UserInfo(User):
    """Describe the caller's own account."""

    last_ip_region: str


class Money(TypedDict):
    """Describe the money of an account: neutral values, which a shop fills."""

    total_money: int
    balance: int
    lock_balance: int
    points: int
    lock_points: int


class Level(TypedDict):
    """Describe the level of an account, of the settings."""

    name: str
    icon: str
    discount: int


class Group(TypedDict):
    """Describe the group of an account, of the settings."""

    name: str
    status: int


class UserItem(User):
    """Describe the caller's own account with the shop's fields."""

    get_user_money: Money
    get_user_level: Level
    get_auth_group: Group
    last_ip_region: str


class Changed(TypedDict):
    """Describe what an edit changed; other fields are absent."""

    client_id: int
    nickname: NotRequired[str]
    head_pic: NotRequired[str]
    sex: NotRequired[int]
    birthday: NotRequired[str]
    update_time: str


class TokenPair(TypedDict):
    """Describe a token and its refresh token, 32 hex characters each."""

    group_id: int
    token: str
    token_expires: int
    refresh: str
    refresh_expires: int


class Login(TypedDict):
    """Answer a login."""

    user: User
    token: TokenPair


class SecondStep(TypedDict):
    """Describe a login that waits for a second step, until `expires`.

    `methods` are the factors that may complete it. With `enroll`, the account has none yet.
    """

    ticket: str
    methods: list[str]
    expires: int
    enroll: NotRequired[bool]


class StepDue(TypedDict):
    """Stand beside the refusal of a login whose first proof was right."""

    second: SecondStep


class Refreshed(TypedDict):
    """Answer a refresh."""

    token: TokenPair


class CaptchaState(TypedDict):
    """Describe if a login of this app needs a captcha. `session_id` is "" when it needs none."""

    captcha: bool
    session_id: str


class CallUrl(TypedDict):
    """Describe the address of the picture, without its `session_id`."""

    call_url: str


class Base64Picture(TypedDict):
    """Describe the picture of a captcha inside of an answer."""

    content_type: str
    base64: str


class Version(TypedDict):
    """Describe the interface that is spoken."""

    version: str


class BatchItem(TypedDict):
    """Answer one call of a batch. `data` is that of the call; false after a refusal."""

    status: int
    message: str
    version: str
    controller: str
    method: str
    data: Any
