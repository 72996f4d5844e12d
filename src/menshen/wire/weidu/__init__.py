"""List the routes of the weidu users API of 2020, one line for each call. (docs/contracts/weidu.md.)

Users log in by phone, email or username, with a password or a code. The session travels in the `Token` header and three
cookies.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.types import ASGIApp

from menshen.wire.dialect import Dialect, DialectContext
from menshen.wire.weidu.call import RULES
from menshen.wire.weidu.calls import (
    bind,
    captcha,
    login_email,
    login_password,
    login_sms,
    own_account,
    password,
    profile,
    register,
    send_code,
    session,
)
from menshen.wire.weidu.routing import PREFIX, Route, anybody, application, judging, login, member

ROUTES: Final[tuple[Route, ...]] = (
    judging(login("POST", "/users/login", login_password.post, "login.password", login_password.PasswordLoginAnswer)),
    login("POST", "/users/mobile/login", login_sms.post, "login.code", login_sms.CodeLoginAnswer),
    login("POST", "/users/email/login", login_email.post, "login.code", login_sms.CodeLoginAnswer),
    login("POST", "/users/mobile/signup", register.post_signup, "login.sign_up"),
    anybody("POST", "/users/mobile/sms", send_code.post_mobile, "codes.send"),
    anybody("POST", "/users/sendsms", send_code.post_mobile, "codes.send"),
    anybody("POST", "/users/email/code", send_code.post_email, "codes.send"),
    anybody("POST", "/users/mobile/exist", register.post_mobile_exist, "account.exists", register.ExistAnswer),
    anybody("POST", "/users/email/exist", register.post_email_exist, "account.exists", register.ExistAnswer),
    anybody("POST", "/users/mobile/reset", password.post_mobile_reset, "account.reset_password"),
    anybody("POST", "/users/email/reset", password.post_email_reset, "account.reset_password"),
    anybody("GET", "/users/behavior/challenge", captcha.get, "captcha.new_challenge", captcha.ChallengeAnswer),
    anybody(
        "POST", "/users/behavior/verification", captcha.post, "captcha.solve_challenge", captcha.VerificationAnswer
    ),
    member("GET", "/users/info", profile.get, "account.find", profile.OwnInfoAnswer, profile.PublicInfoAnswer),
    member("PUT", "/users/update", profile.put, "account.edit_profile", profile.OwnInfoAnswer),
    member("POST", "/users/mobile/bind", bind.post_mobile, "account.bind", profile.OwnInfoAnswer),
    member("POST", "/users/email/bind", bind.post_email, "account.bind", profile.OwnInfoAnswer),
    member("POST", "/users/password", password.post_change, "account.change_password"),
    member("DELETE", "/users/me", own_account.delete, "account.delete"),
    member("GET", "/users/export", own_account.get_export, "account.export", own_account.ExportAnswer),
    member("POST", "/users/logout", session.post_logout, "sessions.log_out"),
    member("GET", "/users/sessions", session.get_all, "sessions.list", session.SessionsAnswer),
    member("DELETE", "/users/sessions", session.delete_others, "sessions.end_others"),
    member("DELETE", "/users/sessions/{id}", session.delete_one, "sessions.end"),
)


def _build(context: DialectContext) -> ASGIApp:
    return application(ROUTES, context)


def _openapi(version: str) -> dict[str, Any]:
    # Imported when the document is first asked for: a start needs none of it.
    from menshen.wire.weidu.openapi import openapi

    return openapi(ROUTES, version)


DIALECT: Final = Dialect(
    name=RULES.dialect,
    prefix=PREFIX,
    endpoints=tuple(route.endpoint for route in ROUTES),
    build=_build,
    rules=RULES,
    openapi=_openapi,
)
