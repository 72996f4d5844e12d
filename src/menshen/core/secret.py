"""Define the type of texts that must not be shown."""

from __future__ import annotations


class Secret(str):
    """Hold a password, key or token. Its repr does not show it.

    A field of settings that has this type may come from a file (`<key>_file`) and is hidden wherever a record is shown.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        """Say whether it is set, and no more."""
        return "Secret(…)" if self else "Secret()"
