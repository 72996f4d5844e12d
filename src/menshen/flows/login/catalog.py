"""List the use cases that log a user in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from menshen.core.factors.asks import PasskeyLogin, SecondStep
from menshen.core.factors.outcomes import CodeSent
from menshen.core.factors.passkeys import PublicKeyOptions
from menshen.core.login.asks import CodeLogin, CodeSignup, PasswordLogin
from menshen.core.login.outcomes import LoginOutcome
from menshen.core.problems import Denied
from menshen.core.rules import Origin
from menshen.flows.login.code import login_code
from menshen.flows.login.passkey import login_passkey, passkey_options
from menshen.flows.login.password import crowded, login_password
from menshen.flows.login.refresh import refresh
from menshen.flows.login.second_step import second_step
from menshen.flows.login.sign_up import sign_up
from menshen.flows.login.step_carriers import send_step_code, step_options
from menshen.flows.use_case import served_by


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFlows:
    """Log in, take second steps, sign up, and refresh tokens."""

    password: Callable[[PasswordLogin, Origin], Awaitable[LoginOutcome]] = field(metadata=served_by(login_password))
    """Log in with a username, phone or email and a password."""
    code: Callable[[CodeLogin, Origin], Awaitable[LoginOutcome]] = field(metadata=served_by(login_code))
    """Log in with a code. If the app allows it, an unknown phone is registered."""
    sign_up: Callable[[CodeSignup, Origin], Awaitable[LoginOutcome]] = field(metadata=served_by(sign_up))
    """Register with a code to a phone, and log in."""
    refresh: Callable[[str, str, Origin], Awaitable[LoginOutcome]] = field(metadata=served_by(refresh))
    """(token, refresh token) -> a new pair."""
    crowded: Callable[[str], bool] = field(metadata=served_by(crowded))
    """(dialect) -> whether the hash queue is full. A login may then be refused before its body is read."""
    second: Callable[[SecondStep, Origin], Awaitable[LoginOutcome]] = field(metadata=served_by(second_step))
    """Judge a step, and open the session of the login that began."""
    second_options: Callable[[str, Origin], Awaitable[PublicKeyOptions | Denied]] = field(
        metadata=served_by(step_options)
    )
    """Return the request options for the passkeys of a pending login."""
    second_code: Callable[[str, Origin], Awaitable[CodeSent | Denied]] = field(metadata=served_by(send_step_code))
    """Send a code to the proved phone of a pending login: as its second step, or to allow its enrolment."""
    passkey_options: Callable[[Origin], Awaitable[PublicKeyOptions | Denied]] = field(
        metadata=served_by(passkey_options)
    )
    """Return the request options of a discoverable login."""
    passkey: Callable[[PasskeyLogin, Origin], Awaitable[LoginOutcome]] = field(metadata=served_by(login_passkey))
    """Judge the answer of a passkey, and open a session of level 2."""
