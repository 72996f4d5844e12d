"""Answer the overview of the account."""

from __future__ import annotations

from typing import Final

from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer
from menshen.wire.pages.call import Call
from menshen.wire.pages.routing import Route


async def get(call: Call) -> Answer:
    """Show who is logged in, and what can be done."""
    return call.page("account/overview.html")


ROUTES: Final = (Route("GET", "/account", get, access=Access.PRIVATE),)
