"""Define a dialect: a name, the paths it answers, and an ASGI application over `Flows`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from msgspec import Struct
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Scope

from menshen.core.apps import App
from menshen.core.login.outcomes import Granted
from menshen.core.networks import scales_of
from menshen.core.rules import DialectRules, Origin
from menshen.core.sessions.devices import Device
from menshen.core.tokens import TOKEN_BYTES, TokenStyle, digest, spell
from menshen.flows.catalog import Flows
from menshen.wire.http.address import client_ip, is_secure
from menshen.wire.http.refusals import Refusals


@dataclass(frozen=True, slots=True)
class DialectContext:
    """Hold what every dialect is built with.

    `trusted_proxies` is the number of our own proxies before the server. `token_bytes` returns random bytes.
    `cors_origins` are the browser origins that may read answers ("https://shop.example"), none by default.
    `cors_headers` are further request headers that their pages may send.
    `settings` is the section of the dialect that is built, of the type `Dialect.settings`, or None for defaults.
    """

    flows: Flows
    trusted_proxies: int
    token_bytes: Callable[[int], bytes]
    cors_origins: frozenset[str] = frozenset()
    cors_headers: tuple[str, ...] = ()
    settings: Struct | None = None
    refusals: Refusals = field(default_factory=Refusals)

    def new_request_id(self, style: TokenStyle) -> str:
        """Return a name for a request, in the alphabet of the dialect's tokens.

        It is never taken from the client, who could point an operator at other lines and rows by it.
        """
        return spell(self.token_bytes(TOKEN_BYTES), style)

    def note_refusal(self, scope: Scope, headers: Headers, dialect: str, reason: str, request_id: str = "") -> None:
        """Log a refused request. `reason` is a word of a closed list."""
        self.refusals.note(
            dialect, reason, lambda: client_ip(scope, headers, self.trusted_proxies), self.flows.now(), request_id
        )

    def secure(self, scope: Scope, headers: Headers) -> bool:
        """Check if the client speaks HTTPS."""
        return is_secure(scope, headers, self.trusted_proxies)

    def origin(
        self,
        scope: Scope,
        headers: Headers,
        app: App,
        rules: DialectRules,
        language: str = "zh",
        device: Device | None = None,
        *,
        token: str = "",
        cookie: str = "",
        request_id: str = "",
    ) -> Origin:
        """Return the origin of a request for the flows.

        `token` is the session token that it carried, `cookie` the one in a browser's cookie. Both may be invalid.
        `request_id` names the request in audit events.
        """
        ip = client_ip(scope, headers, self.trusted_proxies)
        presented = digest(token) if token else b""
        replaced = digest(cookie) if cookie else b""
        return Origin(app, rules, ip, scales_of(ip), language, device or Device(), presented, replaced, request_id)


class Access(StrEnum):
    """Say who may call an endpoint. The docs show the text below each member."""

    ANYBODY = "anybody"
    """Every caller, logged in or not."""

    LOGIN = "login"
    """Every caller; a browser only from pages of this host or of listed origins, because the answer sets cookies."""

    TICKET = "ticket"
    """The holder of the ticket of a login that waits for its second step; a browser only from pages as with `login`."""

    ENROLMENT = "enrolment"
    """A person who is logged in, as with `private`; or the holder of a ticket, as with `login`, if the body has one.
    The ticket then decides alone: it names the account, and a browser adds a cookie to each request by itself."""

    APPKEY = "appkey"
    """Every caller with a valid appkey."""

    PRIVATE = "private"
    """A person who is logged in, on their own account; by cookie only with its CSRF value."""

    SIGNED = "signed"
    """A person who is logged in, on their own account, with appkey and sign."""

    MACHINE = "machine"
    """Programs on this machine and in `[server] metrics_networks`."""

    VENDOR = "vendor"
    """A vendor of text messages, by the secret in the path."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Describe one line of `menshen routes`: verb, path, flow, who may call it, and the handler's module and line."""

    verb: str
    path: str
    flow: str
    access: Access
    module: str
    line: int = 1


@dataclass(frozen=True, slots=True)
class Browsed:
    """Describe a browser's request as a dialect needs it to write its cookies. `host` is in lower case.

    `cookies` are the Cookie header lines, and `secure` says that the client speaks HTTPS.
    """

    flows: Flows
    origin: Origin
    host: str
    secure: bool
    cookies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BrowserCarrier:
    """Say how a dialect gives a session to a browser, so that the hosted pages can hand over a login to its clients.

    Each returns values of Set-Cookie. (docs/contracts/pages.md section 3.)
    """

    give: Callable[[Browsed, Granted], tuple[str, ...]]
    clear: Callable[[Browsed], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """Describe a dialect of login API: all that the rest of the program knows of the package `menshen.wire.<name>`.

    `name` is the name of its package, in `[server] dialects`, and in logs, metrics and audit events.
    `prefix` is the path that it owns, and `also` holds other spellings of that path.
    `endpoints` are its lines of `menshen routes`. `build` makes its ASGI application.
    `rules` are what the flows must know of it.
    `openapi` takes the version of the program and returns an OpenAPI 3.1 document as `json.dumps` takes it.
    It is None where OpenAPI cannot describe the calls.
    `settings` is the Struct of the section `[<name>]`, None for a dialect without one.
    `browser` says how it gives sessions to browsers, None for a dialect without cookies.
    """

    name: str
    prefix: str
    endpoints: tuple[Endpoint, ...]
    build: Callable[[DialectContext], ASGIApp]
    rules: DialectRules
    also: tuple[str, ...] = ()
    openapi: Callable[[str], dict[str, Any]] | None = None
    settings: type[Struct] | None = None
    browser: BrowserCarrier | None = None
