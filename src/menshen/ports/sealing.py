"""Encrypt what must be read again (app secrets, queued messages, new pairs), so that a dump does not show it."""

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

    def seal_for(self, shown: tuple[str, ...], plain: str) -> bytes:
        """Encrypt under the current key and `shown` together. Only who shows the same texts again can open it."""
        ...

    def open_for(self, shown: tuple[str, ...], sealed: bytes) -> str:
        """Decrypt what `seal_for` made for the same texts. Raises as `open`, also when one text differs."""
        ...


class SealBroken(Exception):
    """Report a sealed value that the present keys cannot open."""
