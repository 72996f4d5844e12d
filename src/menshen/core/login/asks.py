"""What a client may present to log in."""

from __future__ import annotations

from dataclasses import dataclass, field

from menshen.core.gates.captcha import Presented


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """`login_id` as typed: username, phone or email. `platform` "" takes the dialect's name."""

    login_id: str
    password: str = field(repr=False)
    platform: str = ""
    captcha: Presented | None = None


@dataclass(frozen=True, slots=True)
class CodeLogin:
    """`subject` is a canonical phone (E.164) or email."""

    subject: str
    code: str = field(repr=False)
    captcha: Presented
    platform: str = ""


@dataclass(frozen=True, slots=True)
class CodeSignup:
    """Sign up with a code to `phone` (E.164), and log in."""

    phone: str
    code: str = field(repr=False)
    password: str = field(repr=False)
    captcha: Presented | None = None
