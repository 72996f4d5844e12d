"""Define the facts that flows know about a caller: the rules of its dialect, and the origin of its request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from menshen.core.apps import App, SessionRule
from menshen.core.networks import Scale
from menshen.core.sessions.devices import Device
from menshen.core.sessions.sessions import Lifetimes
from menshen.core.tokens import TokenStyle


@dataclass(frozen=True, slots=True)
class DialectRules:
    """Hold the rules of a dialect: name, token alphabet, lifetimes, session rule, least length of a new password.

    With `answers_again`, a client that lost the answer of a refresh gets it again.
    """

    dialect: str
    style: TokenStyle
    lifetimes: Lifetimes
    session_rule: SessionRule
    password_min: int = 8
    answers_again: bool = True


@dataclass(frozen=True, slots=True)
class StepCarriers:
    """Hold what a request carries for a second step.

    `browser`: cookies bind a pending login to it. `cookie` is the cookie that was set with a ticket, "" for none.
    `trust` is the token of a trusted device, from a cookie or the body, "" for none.
    `site` is the origin that the request names this server by ("https://login.example"), for passkeys.
    """

    browser: bool = False
    cookie: str = field(default="", repr=False)
    trust: str = field(default="", repr=False)
    site: str = ""


NO_STEP: Final = StepCarriers()


@dataclass(frozen=True, slots=True)
class Origin:
    """Describe the origin of a request. `networks` are `scales_of(ip)`. `language` is "zh" or "en".

    `presented` is the digest of the session token in the request, b"" for none. A login of the same account ends that
    session (ASVS 5.0 7.2.4). `cookie` is the digest of the token in a browser's cookie, b"" for none. A login of any
    account ends that session, because the login replaces the cookie, and a browser has one login. `request_id` is the
    name that this server gave the request; audit events keep it. `step` is what it carries for a second step.
    """

    app: App
    rules: DialectRules
    ip: str
    networks: tuple[Scale, ...]
    language: str = "zh"
    device: Device = field(default_factory=Device)
    presented: bytes = field(default=b"", repr=False)
    cookie: bytes = field(default=b"", repr=False)
    request_id: str = ""
    step: StepCarriers = NO_STEP

    @property
    def network(self) -> str:
        """Return the narrowest of its networks: the /24 of an IPv4 address, the /64 of an IPv6 address."""
        return self.networks[0].network

    @property
    def widest(self) -> str:
        """Return the widest of these networks: the /24 of an IPv4 address, the /48 of an IPv6 address."""
        return self.networks[-1].network

    @property
    def password_min(self) -> int:
        """Return the least length of a new password: the value of the app, else that of the dialect."""
        return self.app.password_min or self.rules.password_min
