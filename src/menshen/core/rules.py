"""What the flows know of a caller: the rules of its dialect, and where its request came from."""

from __future__ import annotations

from dataclasses import dataclass, field

from menshen.core.apps import App, SessionRule
from menshen.core.sessions.devices import Device
from menshen.core.sessions.sessions import Lifetimes
from menshen.core.tokens import TokenStyle


@dataclass(frozen=True, slots=True)
class DialectRules:
    """The manners of a dialect: name, token alphabet, lifetimes, rule for rivals, least length of a new password."""

    dialect: str
    style: TokenStyle
    lifetimes: Lifetimes
    session_rule: SessionRule
    password_min: int = 8


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from. `network` is the /24 or /64 that limits count by; `language` "zh" or "en".

    `presented` is the digest of the session token that came with it, b"" for none. A login of the same account ends
    that session (ASVS 5.0 7.2.4). `cookie` is the digest of the token in a browser's cookie, b"" for none. A login
    ends that session of any account: it replaces the cookie, and a browser has one login.
    """

    app: App
    rules: DialectRules
    ip: str
    network: str
    language: str = "zh"
    device: Device = field(default_factory=Device)
    presented: bytes = field(default=b"", repr=False)
    cookie: bytes = field(default=b"", repr=False)

    @property
    def password_min(self) -> int:
        """How many characters a new password must have: the app's word, else the dialect's."""
        return self.app.password_min or self.rules.password_min
