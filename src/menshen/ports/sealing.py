"""Secrets that must be read again (app secrets, queued messages), sealed so that a dump shows nothing."""

from __future__ import annotations

from typing import Protocol


class Sealer(Protocol):
    """Authenticated encryption under the installation's keys, with the key's id inside."""

    def seal(self, plain: str) -> bytes:
        """Sealed under the current key."""
        ...

    def open(self, sealed: bytes) -> str:
        """The text again.

        Raises:
            SealBroken: it was made under an unknown key, or altered.
        """
        ...


class SealBroken(Exception):
    """A sealed value cannot be opened with the keys at hand."""
