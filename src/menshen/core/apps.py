"""Define client apps: the facts that a dialect and the flows need about the program that calls them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from menshen.core.identifiers import Kind
from menshen.core.time import NEVER, Instant

DEFAULT_APP: Final = "default"
"""Name of the app that every installation has. Requests that name no other app belong to it."""


class CaptchaRule(StrEnum):
    """Say when an app asks for a captcha at a password login. Under NEVER, only the pauses of the limits apply.

    Under ALWAYS, registrations without a code, codes to be sent, and calls that tell who has an account need one too,
    in each dialect.
    """

    NEVER = "never"
    RISK = "risk"
    ALWAYS = "always"


class RegisterRule(StrEnum):
    """Say by which proof people may register at an app.

    BARE: without any. PHONE: by a code to the phone. OFF: by none, so that only operators add accounts.
    """

    BARE = "bare"
    PHONE = "phone"
    OFF = "off"


class DeviceSign(StrEnum):
    """Name the ways to compute `device_sign` (docs/contracts/weidu.md section 4.2)."""

    MD5 = "md5"
    MD5_SHA256 = "md5-sha256"
    HMAC = "hmac"


class SessionRule(StrEnum):
    """Say how many live sessions an account may have. DIALECT is the rule of the dialect that logs in."""

    DIALECT = "house"
    ONE_PER_PLATFORM = "one-per-platform"
    ONE_PER_DEVICE = "one-per-device"
    MANY = "many"


class SecondFactorRule(StrEnum):
    """Say whether an app asks for two proofs.

    OFF hides the enrolment, but honours an account's own choice. OPTIONAL leaves it to the account. REQUIRED asks each
    account, REQUIRED_FOR those with certain roles.
    """

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"
    REQUIRED_FOR = "required_for"


@dataclass(frozen=True, slots=True)
class App:
    """Describe one client app. `secret` signs requests and devices for compatibility. It never proves an identity.

    `host` is "", or the host whose weidu requests belong to this app. It includes a port that is not the default one.
    `host_only_cookies` asks for `__Host-` cookies. Only a device with a valid sign logs in, registers or gets codes
    at a `hardened` app. Without `auto_register`, only a sign-up with a code creates an account, unless `register` is
    off.
    `exist_calls` allows the calls that reveal whether an account exists. With `sign_required`, CareyShop methods that
    need no token check the sign, too. With `mirror_status`, the HTTP status equals the status in the answer over plain
    HTTP, too. `password_min` is the least length of a new password, 0 for the minimum of the dialect. All calls of a
    `disabled` app are refused, and so are the sessions that it opened, everywhere, until it is enabled again.
    `captcha_vendor` names a table of `[[captcha.vendors]]` whose test takes the place of the built-in one, "" for none.
    `required_for_roles` and `factors` are words with spaces between them: the roles of REQUIRED_FOR, and the kinds that
    people may enrol. `sms_step` allows a code by SMS as the second step. A device is trusted for `trusted_days`, 0 for
    not at all. A factor must be enrolled `enrol_by` days after the rule was set at `second_factor_since`.
    """

    app_id: int
    name: str
    appkey: str
    secret: str = field(repr=False)
    cookie_prefix: str = "menshen"
    cookie_domain: str = ""
    host_only_cookies: bool = False
    app_name: str = "weidu"
    business_type: str = "users"
    host: str = ""
    captcha: CaptchaRule = CaptchaRule.RISK
    hardened: bool = False
    device_sign: DeviceSign = DeviceSign.MD5_SHA256
    session_rule: SessionRule = SessionRule.DIALECT
    register: RegisterRule = RegisterRule.BARE
    auto_register: bool = True
    exist_calls: bool = True
    sign_required: bool = False
    mirror_status: bool = False
    password_min: int = 0
    sms_per_day: int = 0
    disabled: bool = False
    captcha_vendor: str = ""
    second_factor: SecondFactorRule = SecondFactorRule.OPTIONAL
    required_for_roles: str = "admin"
    factors: str = "passkey totp recovery"
    sms_step: bool = False
    trusted_days: int = 30
    enrol_by: int = 0
    second_factor_since: Instant = NEVER

    @property
    def registers_without_proof(self) -> bool:
        """Check if people may register without a code."""
        return self.register is RegisterRule.BARE and self.auto_register

    @property
    def registers_at_login(self) -> bool:
        """Check if a login by a code registers an unknown phone."""
        return self.register is not RegisterRule.OFF and self.auto_register

    @property
    def registers_by_code(self) -> bool:
        """Check if people may sign up with a code."""
        return self.register is not RegisterRule.OFF

    def signs_up_with(self, kind: Kind) -> bool:
        """Check if people may sign up with a code to a phone, or to an email.

        RegisterRule.PHONE wants the code to a phone. Only hosted pages offer emails.
        """
        return self.register is RegisterRule.BARE if kind is Kind.EMAIL else self.registers_by_code
