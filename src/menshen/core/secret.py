"""Define the type of secret texts, which must not be shown."""

from __future__ import annotations


class Secret(str):
    """Hold a password, key or token. Its repr does not show it.

    A field of settings with this type may come from a file (`<key>_file`). It is hidden wherever a record is shown.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        """Show only whether it is set."""
        return "Secret(…)" if self else "Secret()"
