"""Pairs of tokens, as tests of refreshing ask for them."""

from __future__ import annotations

from typing import Any

from menshen.core.login.outcomes import Granted
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import SECOND
from tests.flows.site import CAREYSHOP, HOME, PASSWORD, Site

UNAUTHENTICATED, INVALID = Denied(ProblemCode.UNAUTHENTICATED), Denied(ProblemCode.REFRESH_INVALID)
GRACE = 30 * SECOND


async def login(site: Site, platform: str = "web", password: str = PASSWORD) -> Granted:
    return await site.login(password=password, origin=site.origin(rules=CAREYSHOP), platform=platform)


async def ask(site: Site, token: str, refresh: str, ip: str = HOME, **given: Any) -> Any:
    return await site.flows.login.refresh(token, refresh, site.origin(ip, CAREYSHOP, **given))


async def renew(site: Site, pair: Granted, ip: str = HOME) -> Granted:
    got = await ask(site, pair.token, pair.refresh, ip)
    assert isinstance(got, Granted), got
    return got


def told(granted: Any) -> tuple[str, str, str, int, int]:
    """What an answer says of a pair."""
    assert isinstance(granted, Granted), granted
    session = granted.session
    return granted.token, granted.refresh, session.session_id, session.expires_at, session.refresh_expires_at
