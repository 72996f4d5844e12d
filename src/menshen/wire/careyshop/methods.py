"""List the methods, one line each. A new method needs a line here and a function in `calls`.

(docs/contracts/careyshop.md sections 3 to 5.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from menshen.wire.careyshop.call import Call, Handler
from menshen.wire.careyshop.calls import (
    captcha,
    login_password,
    password,
    profile,
    register,
    second_step,
    send_code,
    session,
)
from menshen.wire.careyshop.described.answers import Version
from menshen.wire.careyshop.described.fields import reads
from menshen.wire.dialect import Access

INTERFACE_VERSION: Final = "1.3.1"
"""The version of CareyShop whose interface this dialect implements."""

CONTROLLERS: Final = frozenset({"app", "index", "user", "userlevel", "verification"})
"""Known controllers, without underscores and in lower case. Others are not found."""


class Who(StrEnum):
    """List who may call a method. ACCOUNT needs a token; app and sign are then enforced."""

    ANYONE = "anyone"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Method:
    """Describe one method: its controller, who may call it, its flow, and the function that decodes the call.

    `app` requires a valid appkey, `sign` a right sign (an app may require it at every method). `lapsed_token` lets
    the flow judge an invalid token. `in_batch` allows the method in a batch.
    """

    name: str
    controller: str
    who: Who
    flow: str
    handler: Handler
    app: bool = False
    sign: bool = False
    lapsed_token: bool = False
    in_batch: bool = True

    @property
    def access(self) -> Access:
        """Say who may call, as `menshen routes` shows it."""
        return _ACCESS[self.who, self.app, self.sign]


# Any other combination is a mistake in the table below, and stops the import.
_ACCESS: Final = {
    (Who.ANYONE, False, False): Access.ANYBODY,
    (Who.ANYONE, True, False): Access.APPKEY,
    (Who.ACCOUNT, True, True): Access.SIGNED,
}


@reads()
async def version(call: Call) -> Version:
    """Return the interface version, for get.system.version. Clients use it to detect the server."""
    return {"version": INTERFACE_VERSION}


def _open(
    name: str, controller: str, flow: str, handler: Handler, *, app: bool = False, in_batch: bool = False
) -> Method:
    return Method(name, controller, Who.ANYONE, flow, handler, app=app, in_batch=in_batch)


def _own(name: str, flow: str, handler: Handler, *, lapsed_token: bool = False, in_batch: bool = True) -> Method:
    return Method(
        name, "user", Who.ACCOUNT, flow, handler, app=True, sign=True, lapsed_token=lapsed_token, in_batch=in_batch
    )


METHODS: Final = (
    _open("login.user.user", "user", "login.password", login_password.login, app=True),
    _open("second.user.user", "user", "login.second", second_step.complete, app=True),
    _open("add.user.item", "user", "account.register", register.register),
    _open("find.user.password", "user", "account.reset_password", password.find_password),
    _open("check.user.username", "user", "account.taken", register.check_username, in_batch=True),
    _open("check.user.mobile", "user", "account.taken", register.check_mobile, in_batch=True),
    _open("check.user.nickname", "user", "account.taken", register.check_nickname, in_batch=True),
    _own("get.user.item", "sessions.authenticate", profile.get_item),
    _own("get.user.info", "sessions.authenticate", profile.get_info),
    _own("set.user.item", "account.edit_profile", profile.set_item),
    _own("set.user.password", "account.change_password", password.set_password, in_batch=False),
    _own("logout.user.user", "sessions.log_out", session.logout),
    _own("refresh.user.token", "login.refresh", session.refresh, lapsed_token=True),
    _open("send.verification.sms", "verification", "codes.send", send_code.send_sms),
    _open("send.verification.email", "verification", "codes.send", send_code.send_email),
    _open("ver.verification.sms", "verification", "codes.verify", send_code.verify_sms),
    _open("ver.verification.email", "verification", "codes.verify", send_code.verify_email),
    _open("use.verification.item", "verification", "codes.use", send_code.use),
    _open("get.app.captcha", "app", "captcha.image", captcha.status, in_batch=True),
    _open("get.app.captcha.callurl", "app", "-", captcha.call_url, in_batch=True),
    _open("image.app.captcha", "app", "captcha.draw", captcha.image),
    _open("get.system.version", "index", "-", version, in_batch=True),
)

_BY_NAME: Final = {(method.controller, method.name): method for method in METHODS}


def canonical_controller(text: str) -> str | None:
    """Return a controller's name as in the table, or None. Case is ignored, and `userLevel` equals `user_level`."""
    name = text.replace("_", "").lower()
    return name if name in CONTROLLERS else None


def find(controller: str | None, name: object) -> Method | None:
    """Return the method of that name in that controller, or None. Names are case-sensitive."""
    return _BY_NAME.get((controller, name)) if isinstance(name, str) and controller is not None else None
