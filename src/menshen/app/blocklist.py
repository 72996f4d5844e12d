"""Passwords that everybody tries first: the frequency list that comes with the `zxcvbn` library, offline.

Loaded at the first new password, not at start: most processes set none for a while, and the list is large.
"""

from __future__ import annotations

from functools import cached_property


class CommonPasswords:
    """`menshen.core.login.passwords.Blocklist`."""

    @cached_property
    def _words(self) -> frozenset[str]:
        from zxcvbn.frequency_lists import FREQUENCY_LISTS

        return frozenset(FREQUENCY_LISTS["passwords"])

    def __contains__(self, password: object) -> bool:
        return password in self._words


class NoBlocklist:
    """`menshen.core.login.passwords.Blocklist` of an installation that turned it off."""

    def __contains__(self, password: object) -> bool:
        return False
