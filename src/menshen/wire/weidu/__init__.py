"""List the routes of the weidu users API of 2020, one line for each call. (docs/contracts/weidu.md.)

Users log in by phone, email or username, with a password or a code. The session travels in the `Token` header and three
cookies.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.types import ASGIApp

from menshen.wire.dialect import BrowserCarrier, Dialect, DialectContext
from menshen.wire.weidu import carrier
from menshen.wire.weidu.call import RULES
from menshen.wire.weidu.calls import (
    bind,
    captcha,
    login_email,
    login_passkey,
    login_password,
    login_second,
    login_sms,
    own_account,
    password,
    profile,
    register,
    send_code,
    session,
)
from menshen.wire.weidu.calls.factors import overview, prove, recovery, totp
from menshen.wire.weidu.calls.factors import passkeys as own_passkeys
from menshen.wire.weidu.logins import ANSWERS, CodeLoginAnswer, PasswordLoginAnswer
from menshen.wire.weidu.routing import (
    PREFIX,
    Route,
    anybody,
    application,
    enrolment,
    judging,
    login,
    member,
    passkeys,
    ticket,
)

ROUTES: Final[tuple[Route, ...]] = (
    judging(login("POST", "/users/login", login_password.post, "login.password", PasswordLoginAnswer)),
    login("POST", "/users/mobile/login", login_sms.post, "login.code", CodeLoginAnswer),
    login("POST", "/users/email/login", login_email.post, "login.code", CodeLoginAnswer),
    login("POST", "/users/mobile/signup", register.post_signup, "login.sign_up"),
    passkeys(login("POST", "/users/login/second", login_second.post, "login.second", *ANSWERS)),
    passkeys(
        ticket(
            "POST",
            "/users/login/second/options",
            login_second.post_options,
            "login.second_options",
            login_second.PublicKeyAnswer,
        )
    ),
    ticket("POST", "/users/login/second/sms", login_second.post_sms, "login.second_code", login_second.StepCodeAnswer),
    passkeys(
        anybody(
            "POST",
            "/users/passkey/options",
            login_passkey.post_options,
            "login.passkey_options",
            login_second.PublicKeyAnswer,
        )
    ),
    passkeys(login("POST", "/users/passkey/login", login_passkey.post, "login.passkey", PasswordLoginAnswer)),
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
    member("GET", "/users/factors", overview.get, "factors.list", overview.FactorsAnswer),
    enrolment(
        "POST",
        "/users/totp/begin",
        (totp.post_begin, totp.post_begin_by_ticket),
        ("factors.begin", "factors.begin_by_ticket"),
        totp.BegunTotpAnswer,
    ),
    enrolment(
        "POST",
        "/users/totp",
        (totp.post, totp.post_by_ticket),
        ("factors.confirm", "factors.confirm_by_ticket"),
        totp.RecoveryCodesAnswer,
        *ANSWERS,
    ),
    member("DELETE", "/users/totp", totp.delete, "factors.remove"),
    passkeys(
        enrolment(
            "POST",
            "/users/passkeys/options",
            (own_passkeys.post_options, own_passkeys.post_options_by_ticket),
            ("factors.new_passkey_options", "factors.passkey_options_by_ticket"),
            login_second.PublicKeyAnswer,
        )
    ),
    passkeys(
        enrolment(
            "POST",
            "/users/passkeys",
            (own_passkeys.post, own_passkeys.post_by_ticket),
            ("factors.add_passkey", "factors.add_passkey_by_ticket"),
            own_passkeys.NewPasskeyAnswer,
            *ANSWERS,
        )
    ),
    member("PUT", "/users/passkeys/{id}", own_passkeys.put, "factors.rename_passkey"),
    member("DELETE", "/users/passkeys/{id}", own_passkeys.delete, "factors.remove_passkey"),
    member("POST", "/users/recovery_codes", recovery.post, "factors.make_recovery_codes", totp.RecoveryCodesAnswer),
    member("PUT", "/users/second_step", recovery.put_second_step, "factors.switch_second_step"),
    passkeys(member("POST", "/users/prove", prove.post, "factors.prove")),
    passkeys(
        member(
            "POST", "/users/prove/options", prove.post_options, "factors.prove_options", login_second.PublicKeyAnswer
        )
    ),
    member("GET", "/users/trusted_devices", overview.get_trusted, "factors.list", overview.TrustedDevicesAnswer),
    member("DELETE", "/users/trusted_devices", overview.delete_all, "factors.end_all_trusted"),
    member("DELETE", "/users/trusted_devices/{id}", overview.delete_one, "factors.end_trusted"),
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
    browser=BrowserCarrier(carrier.give_to_browser, carrier.take_from_browser),
)
