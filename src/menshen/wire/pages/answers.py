"""Define what a page's handler returns: a page, a redirect, or bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from menshen.core.problems import Denied

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """Show a template with values. `leads_to` are the foreign origins to which a form of the page may lead.

    A page after a refused form has the status 200: the request was read, and the form is shown again.
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    leads_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeeOther:
    """Send the browser to another address by 303."""

    to: str


@dataclass(frozen=True, slots=True)
class Raw:
    """Answer with bytes of a media type: a picture, a download, the JSON of a script's call."""

    body: bytes = field(repr=False)
    kind: str
    status: int = 200
    headers: tuple[Header, ...] = ()


Answer = Page | SeeOther | Raw


class Refused(Exception):
    """End a request with a page that says why. `status` is an HTTP status, `text` the id of a sentence."""

    def __init__(self, status: int, text: str, denied: Denied | None = None, headers: tuple[Header, ...] = ()) -> None:
        """Take the status, and the id of a text below `page.`."""
        super().__init__(text)
        self.status, self.text, self.denied, self.headers = status, text, denied, headers


class LoginNeeded(Exception):
    """Send the browser to the login page, and back afterwards."""


class ProofNeeded(Exception):
    """Send the browser to the page that proves identity again, and back afterwards."""
