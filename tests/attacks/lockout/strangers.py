"""Somebody with a home's /56 of IPv6."""

from __future__ import annotations

from menshen.core.problems import ProblemCode
from tests.flows.site import WRONG, Site, code_of

STRANGERS = [f"2001:db8:5:{n:x}::7" for n in range(0x100, 0x200)]
"""Addresses of each of its 256 networks."""


async def guess_passwords(site: Site, times: int, at: str = "kevin") -> int:
    """Try wrong passwords from a /56 with a captcha each; how many were judged."""
    judged = 0
    for n in range(times):
        origin = site.origin(STRANGERS[n % 256])
        told = await site.try_password(at, WRONG, origin, captcha=await site.captcha(origin))
        judged += code_of(told) is ProblemCode.WRONG_CREDENTIALS
    return judged
