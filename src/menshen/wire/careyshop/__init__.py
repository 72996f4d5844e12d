"""Serve the user API of CareyShop at `/api`: one entry, many methods, answers in JSON, JSONP or XML.

The table of methods is in `methods`, the order of checks in `dispatch`. (docs/contracts/careyshop.md.)
"""

from __future__ import annotations

from typing import Any, Final

from menshen.wire.careyshop import batch, dispatch
from menshen.wire.careyshop.call import RULES
from menshen.wire.careyshop.methods import METHODS
from menshen.wire.careyshop.settings import Settings
from menshen.wire.dialect import Access, Dialect, Endpoint

_VERBS: Final = "GET POST"


def _openapi(version: str) -> dict[str, Any]:
    # Imported when the document is first asked for: a start needs none of it.
    from menshen.wire.careyshop.described.openapi import openapi

    return openapi(METHODS, version)


DIALECT: Final = Dialect(
    name=RULES.dialect,
    prefix="/api",
    endpoints=(
        *(
            Endpoint(
                _VERBS,
                f"/api/v1/{m.controller}/method/{m.name}",
                m.flow,
                m.access,
                m.handler.__module__,
                m.handler.__code__.co_firstlineno,
            )
            for m in METHODS
        ),
        Endpoint(_VERBS, "/api/batch", "-", Access.ANYBODY, batch.__name__),
    ),
    build=dispatch.build,
    rules=RULES,
    openapi=_openapi,
    settings=Settings,
    # The recorded server answered these paths too, and old clients have them in their settings.
    also=("/index.php/api",),
)
