"""Find common passwords in the frequency list of the `zxcvbn` library, offline.

The list is large, so it is loaded at the first new password and not at the start.
"""

from __future__ import annotations

from functools import cached_property


class CommonPasswords:
    """Implement `menshen.core.login.passwords.Blocklist`."""

    @cached_property
    def _words(self) -> frozenset[str]:
        from zxcvbn.frequency_lists import FREQUENCY_LISTS

        return frozenset(FREQUENCY_LISTS["passwords"])

    def __contains__(self, password: object) -> bool:
        return password in self._words


class NoBlocklist:
    """Implement `menshen.core.login.passwords.Blocklist` for an installation that turned it off."""

    def __contains__(self, password: object) -> bool:
        return False
