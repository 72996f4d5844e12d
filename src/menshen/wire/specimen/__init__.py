"""Show a dialect to copy: log in with a username and a password, read one's account, log out.

It speaks JSON, with a bearer token. This file is the route table. CONTRIBUTING.md says how it is copied; decision 0038
says when it is served.
"""

from __future__ import annotations

from typing import Any, Final

from menshen.wire.dialect import Access, Dialect
from menshen.wire.specimen.call import RULES
from menshen.wire.specimen.calls import login_password, profile, session
from menshen.wire.specimen.routing import PREFIX, Route, application
from menshen.wire.specimen.settings import Settings

ROUTES: Final = (
    Route("POST", "/login", login_password.post, "login.password", Access.ANYBODY),
    Route("GET", "/me", profile.get, "sessions.authenticate", Access.PRIVATE),
    Route("POST", "/logout", session.post_logout, "sessions.log_out", Access.PRIVATE),
)


def _openapi(version: str) -> dict[str, Any]:
    # Imported when the document is first asked for: a start needs none of it.
    from menshen.wire.specimen.openapi import openapi

    return openapi(ROUTES, version)


DIALECT: Final = Dialect(
    name=RULES.dialect,
    prefix=PREFIX,
    endpoints=tuple(route.endpoint for route in ROUTES),
    build=lambda context: application(ROUTES, context),
    rules=RULES,
    openapi=_openapi,
    settings=Settings,
)
