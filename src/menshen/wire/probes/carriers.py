"""Find whose token the cookies of a request carry.

The request is for some app behind the server, whose name is not known here. So the cookies of all apps count, by their
exact names, some of each. No client can add a name, so no cookie keeps the genuine one from being looked at.
(docs/contracts/core.md section 3.4, docs/security/attacks.md CK-9, CK-10; decision 0048.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from menshen.core.apps import App
from menshen.core.sessions.outcomes import Bearer
from menshen.flows.catalog import Flows
from menshen.wire.http.cookies import HOST_PREFIX, cookie_name, cookie_value, one_name

_COOKIE: Final = "AUTHTOKEN"
_ENDING: Final = f"{_COOKIE}="


class CookieFinder:
    """Find the account of a request by its cookies."""

    def __init__(self, flows: Flows) -> None:
        """Check tokens and find apps by these flows."""
        self._recall, self._check = flows.sessions.recall, flows.sessions.check
        self._recall_apps, self._list_apps = flows.apps.recalled, flows.apps.listed
        self._apps: Sequence[App] = ()
        self._names: frozenset[str] = frozenset()

    def recall(self, jars: list[bytes]) -> Bearer | None:
        """Return the account of the one session cookie, from memory. None says nothing: `find` does."""
        apps = self._recall_apps()
        if apps is None:
            return None
        if apps is not self._apps:
            self._learn(apps)
        cookies = _cookies(jars, self._names)
        if len(cookies) != 1:
            return None
        (values,) = cookies.values()
        return self._recall(values[0]) if len(values) == 1 else None

    async def find(self, jars: list[bytes]) -> Bearer | None:
        """Return the account that the good session cookies agree on, or None.

        When `__Host-` cookies are good, others do not count. Of two accounts neither counts. A name that comes too
        often ends the search (`one_name`).

        Raises:
            Problem: the database cannot be asked.
        """
        if (apps := await self._list_apps()) is not self._apps:
            self._learn(apps)
        cookies = _cookies(jars, self._names)
        by_host = [(name, values) for name, values in cookies.items() if name.startswith(HOST_PREFIX)]
        others = [(name, values) for name, values in cookies.items() if not name.startswith(HOST_PREFIX)]
        for group in (by_host, others):
            tokens = set[str]()
            for name, values in group:
                if (different := one_name(name, values)) is None:
                    return None
                tokens.update(different)
            found = {}
            for token in tokens:
                if bearer := self._recall(token) or await self._check(token):
                    found[bearer.account_number] = bearer
            if found:
                return found.popitem()[1] if len(found) == 1 else None
        return None

    def _learn(self, apps: Sequence[App]) -> None:
        self._apps = apps
        self._names = frozenset(cookie_name(app, _COOKIE) for app in apps if not app.disabled)


def _cookies(jars: list[bytes], names: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Return the values of the cookies of these names.

    Only cookies whose names end in AUTHTOKEN cost anything here: this runs with every request of every app.
    """
    found: dict[str, tuple[str, ...]] = {}
    for raw in jars:
        jar, end = raw.decode("latin-1") + ";", 0
        while (ending := jar.find(_ENDING, end)) >= 0:
            value = ending + len(_ENDING)
            name = jar[jar.rfind(";", end, ending) + 1 : value - 1].lstrip(" \t")
            end = jar.find(";", value)
            if name in names:
                given = cookie_value(jar[value:end])
                found[name] = (*found[name], given) if name in found else (given,)
    return found
