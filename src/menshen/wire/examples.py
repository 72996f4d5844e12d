"""Define the good exchanges that each dialect shows in its `examples.py`.

A newcomer reads there how a client speaks. The dialect contract (`menshen.testing.dialect_contract`) reads there how to
log in, and what a refusal looks like. A server never imports these modules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from menshen.core.apps import App
from menshen.core.time import Instant


@dataclass(frozen=True, slots=True)
class Request:
    """Hold a request as on the wire. `path` begins with the dialect's prefix; `query` has no question mark."""

    verb: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    query: str = ""

    def with_header(self, name: str, value: str) -> Request:
        """Return the request with one more header."""
        return replace(self, headers=(*self.headers, (name, value)))


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer as it stands on the wire. Names of `headers` are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """Return the first header of this name (lower case), "" for none."""
        return next((value for found, value in self.headers if found == name), "")


class Carrier(StrEnum):
    """Name a place of a request that can carry a session token. A cookie has the name under which the login set it."""

    BEARER = "Authorization: Bearer"
    TOKEN_HEADER = "Token"
    COOKIE = "Cookie"


@dataclass(frozen=True, slots=True)
class Examples:
    """Hold the exchanges of one dialect.

    `login` makes the request that logs in with a username and a password to an app, at an instant (epoch ms).
    `account` makes the request that only a logged-in caller may make, with that token; "" makes it without one.
    `token` returns the session token of an answer, "" when it has none.
    `refusal` returns what an answer says to people, "" unless it is a refusal in the style of this dialect.
    `carriers` are the places where `account` may carry its token beside the place in which the example puts it.
    `languages` are those of its refusals. `http_statuses` is False where every answer is an HTTP 200.
    """

    login: Callable[[App, str, str, Instant], Request]
    account: Callable[[App, str, Instant], Request]
    token: Callable[[Answer], str]
    refusal: Callable[[Answer], str]
    carriers: frozenset[Carrier]
    languages: tuple[str, ...] = ("zh", "en")
    http_statuses: bool = True
