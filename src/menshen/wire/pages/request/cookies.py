"""Read and write the cookies of pages.

Over HTTPS those that carry weight are `__Host-` cookies. Over plain HTTP browsers take none, so they have bare names.
(docs/contracts/pages.md section 2.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from menshen.core.time import DAY, Instant, after
from menshen.wire.http.cookies import HOST_PREFIX, CookieJarRules, read_cookies, set_cookie

SESSION: Final = "ms_session"
"""The session of the browser."""
BROWSER: Final = "ms_browser"
"""A random name of the browser. The values in forms are bound to it. It ends with the browser."""
KEPT: Final = "ms_kept"
"""What one page leaves for the next one."""
AGREED: Final = "ms_agreed"
"""The versions of the terms to which the person in this browser agreed."""
LANGUAGE: Final = "ms_lang"
THEME: Final = "ms_theme"

_LONG_AGO: Final = 0
_YEAR: Final = 365 * DAY
_MAX_VALUE: Final = 3500


@dataclass(slots=True)
class Jar:
    """Hold the cookies of a request, and those that the answer sets. `secure`: the client speaks HTTPS."""

    lines: Sequence[str]
    secure: bool
    written: list[str] = field(default_factory=list)

    def read(self, kind: str) -> str:
        """Return the value of a guarded cookie, "" for none, for two, and for one that is too long."""
        values = read_cookies(self.lines, self._name(kind)) if self.lines else ()
        return values[0] if len(values) == 1 and len(values[0]) <= _MAX_VALUE else ""

    def read_plain(self, kind: str) -> str:
        """Return the value of an unguarded cookie, such as the language, "" for none or two."""
        values = read_cookies(self.lines, kind) if self.lines else ()
        return values[0] if len(values) == 1 and len(values[0]) <= _MAX_VALUE else ""

    def write(self, kind: str, value: str, ends: Instant) -> None:
        """Set a guarded cookie that no script reads, until `ends`."""
        rules = CookieJarRules("", self.secure, host_prefix=self.secure)
        self.written.append(set_cookie(kind, value, ends, rules, http_only=True))

    def write_for_now(self, kind: str, value: str) -> None:
        """Set a guarded cookie that ends with the browser."""
        tail = "; Secure; SameSite=Lax" if self.secure else "; SameSite=Lax"
        self.written.append(f"{self._name(kind)}={value}; Path=/; HttpOnly{tail}")

    def write_plain(self, kind: str, value: str, now: Instant) -> None:
        """Set an unguarded cookie for a year."""
        self.written.append(set_cookie(kind, value, after(now, _YEAR), CookieJarRules("", self.secure), http_only=True))

    def forget(self, kind: str) -> None:
        """Delete a guarded cookie, if the browser sent one."""
        if self.read(kind):
            self.write(kind, "", Instant(_LONG_AGO))

    def _name(self, kind: str) -> str:
        return f"{HOST_PREFIX if self.secure else ''}{kind}"
