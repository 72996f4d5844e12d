"""Answer `/`, assets, and where password managers look for a change of the password."""

from __future__ import annotations

from typing import Final

from menshen.core.problems import Denied
from menshen.wire.pages import CHANGE_PASSWORD, headers
from menshen.wire.pages.answers import Answer, Raw, Refused, SeeOther
from menshen.wire.pages.call import HOME, Call
from menshen.wire.pages.look.assets import PREFIX, Asset, shipped
from menshen.wire.pages.look.looks import looks_of, sheet_of
from menshen.wire.pages.routing import Route


async def get_root(call: Call) -> Answer:
    """Send a person to the account, and a stranger to the login."""
    return SeeOther(HOME if call.caller else "/login")


async def get_change_password(_: Call) -> Answer:
    """Send a password manager to the page that changes the password. (Change Password URL, W3C.)"""
    return Raw(b"", "", 302, (("location", "/account/security#password"),))


async def get_asset(call: Call) -> Answer:
    """Answer a shipped file."""
    return _asset(call, shipped()[call.path.removeprefix(f"{PREFIX}/").partition("/")[2]])


async def get_sheet(call: Call) -> Answer:
    """Answer the style sheet with the colour of the app."""
    if looks_of(call.app, call.settings).sheet != call.path:
        raise Refused(404, "not_found")
    return _asset(call, sheet_of(call.settings))


async def get_logo(call: Call) -> Answer:
    """Answer a logo of the app."""
    if call.resource not in {call.settings.logo_light, call.settings.logo_dark}:
        raise Refused(404, "not_found")
    found = await call.flows.pages.logo(call.resource)
    if isinstance(found, Denied):
        raise Refused(404, "not_found")
    return Raw(found.content, found.kind, 200, headers.ASSET)


def _asset(call: Call, asset: Asset) -> Raw:
    if asset.packed and call.takes_gzip:
        return Raw(asset.packed, asset.kind, 200, (*headers.ASSET, ("content-encoding", "gzip"), _VARY))
    return Raw(asset.body, asset.kind, 200, (*headers.ASSET, _VARY))


_VARY: Final = ("vary", "Accept-Encoding")

ROUTES: Final = (
    Route("GET", "/", get_root),
    Route("GET", CHANGE_PASSWORD, get_change_password),
    Route("GET", f"{PREFIX}/brand/{{file}}", get_sheet),
    Route("GET", f"{PREFIX}/logo/{{digest}}", get_logo, "pages.logo"),
    *(Route("GET", asset.path(name), get_asset) for name, asset in shipped().items()),
)
