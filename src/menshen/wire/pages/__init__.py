"""Serve the hosted pages: login, second step, sign-up, reset, account. Plain forms over the same flows as the dialects.

This module is all that a start imports. The rest comes with the first page of an app that has pages.
(docs/contracts/pages.md.)
"""

from __future__ import annotations

from typing import Final

FIRST: Final = frozenset({"", "login", "signup", "reset", "account", "logout", "not-me", "assets"})
"""The first parts of the paths that belong to pages. "" is the path `/` itself."""

CHANGE_PASSWORD: Final = "/.well-known/change-password"
"""Where password managers look for the page that changes a password."""


def owns(path: str) -> bool:
    """Return whether a path belongs to the hosted pages."""
    first, slash, rest = path[1:].partition("/")
    return (first in FIRST and (bool(first) or not (slash or rest))) or path == CHANGE_PASSWORD
