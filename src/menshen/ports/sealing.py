"""Encrypt secrets that must be read again (app secrets, queued messages), so that a dump does not show them."""

from __future__ import annotations

from typing import Protocol


class Sealer(Protocol):
    """Encrypt with authentication, under the installation's keys. A value holds its key's id."""

    def seal(self, plain: str) -> bytes:
        """Encrypt under the current key."""
        ...

    def open(self, sealed: bytes) -> str:
        """Decrypt and return the text.

        Raises:
            SealBroken: the value was made under an unknown key, or changed.
        """
        ...


class SealBroken(Exception):
    """Report a sealed value that the present keys cannot open."""
