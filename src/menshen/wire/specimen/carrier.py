"""Read the token of a request from `Authorization: Bearer`. A login's answer gives it in the body.

No other place carries it. It must not know the calls.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers

from menshen.core.sessions.outcomes import Authenticated
from menshen.wire.specimen.call import Call
from menshen.wire.specimen.problems import UNAUTHENTICATED, Refused

_MAX_TOKEN: Final = 128


def presented(headers: Headers) -> str:
    """Return the bearer token of a request, good or not; "" for none, for two, and for one that is too long."""
    given = headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    return token if scheme.lower() == "bearer" and len(token) <= _MAX_TOKEN else ""


async def identify(call: Call) -> Authenticated:
    """Return who is calling.

    Raises:
        Refused: the token is missing, unknown, expired or revoked: all four get one answer.
    """
    outcome = await call.flows.sessions.authenticate(call.token) if call.token else None
    if not isinstance(outcome, Authenticated):
        raise Refused(UNAUTHENTICATED)
    return outcome
