"""List the use cases that log a user in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from menshen.core.login.asks import CodeLogin, CodeSignup, PasswordLogin
from menshen.core.login.outcomes import LoginOutcome
from menshen.core.rules import Origin
from menshen.flows.login.code import login_code
from menshen.flows.login.password import crowded, login_password
from menshen.flows.login.refresh import refresh
from menshen.flows.login.sign_up import sign_up
from menshen.flows.use_case import served_by


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFlows:
    """Log in, sign up, and refresh tokens."""

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
