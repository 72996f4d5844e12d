"""Client apps: what a dialect and the flows must know of the program that speaks to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

DEFAULT_APP: Final = "default"
"""The name of the app that every installation has: requests that name no other app are its own."""


class CaptchaRule(StrEnum):
    """When an app's password login asks for a captcha. Under NEVER only the pauses of the limits apply."""

    NEVER = "never"
    RISK = "risk"
    ALWAYS = "always"


class DeviceSign(StrEnum):
    """How `device_sign` is made (docs/contracts/weidu.md section 4.2)."""

    MD5 = "md5"
    MD5_SHA256 = "md5-sha256"
    HMAC = "hmac"


class SessionRule(StrEnum):
    """How many sessions of an account may live. HOUSE is the rule of the dialect that logs in."""

    DIALECT = "house"
    ONE_PER_PLATFORM = "one-per-platform"
    ONE_PER_DEVICE = "one-per-device"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class App:
    """One client app. `secret` signs requests and devices: it is compatibility, never a proof of identity.

    `host` is "" or the host (with port when not the default one) whose weidu requests are this app's.
    `host_only_cookies` asks for `__Host-` cookies. `auto_register` lets an SMS login create the account.
    `exist_calls` answers the account oracles. `sign_required` makes CareyShop methods that need no token
    check the sign too. `mirror_status` makes the HTTP status follow the answer's over plain HTTP as well.
    `password_min` is the least length of a new password, 0 for the dialect's own.
    """

    app_id: int
    name: str
    appkey: str
    secret: str = field(repr=False)
    cookie_prefix: str = "weichuang"
    cookie_domain: str = ""
    host_only_cookies: bool = False
    app_name: str = "weidu"
    business_type: str = "users"
    host: str = ""
    captcha: CaptchaRule = CaptchaRule.RISK
    hardened: bool = False
    device_sign: DeviceSign = DeviceSign.MD5_SHA256
    session_rule: SessionRule = SessionRule.DIALECT
    auto_register: bool = True
    exist_calls: bool = True
    sign_required: bool = False
    mirror_status: bool = False
    password_min: int = 0
    sms_per_day: int = 0
    disabled: bool = False
