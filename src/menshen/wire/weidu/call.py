"""One call on its way to a handler: what was read of the request, and what the handler may use.

Must not know the paths, nor how an answer leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from menshen.core.apps import App, SessionRule
from menshen.core.gates.captcha import PassPresented
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import DialectRules, Origin
from menshen.core.sessions.devices import Device
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import SLIDING
from menshen.core.tokens import TokenStyle
from menshen.flows.catalog import Flows
from menshen.wire.weidu import problems
from menshen.wire.weidu.envelope import Reply

RULES: Final = DialectRules("weidu", TokenStyle.BASE32, SLIDING, SessionRule.ONE_PER_DEVICE)
"""26-character tokens, sliding sessions, one per device (docs/contracts/core.md sections 3.2 and 3.5)."""

_ASKS_FOR_TEST: Final = frozenset(
    {ProblemCode.CAPTCHA_REQUIRED, ProblemCode.CAPTCHA_INVALID, ProblemCode.CAPTCHA_EXPIRED}
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that anybody may make.

    `host` is the Host header in lower case, `secure` whether the client speaks HTTPS, `query` the raw query string,
    `resource` the last part of the path where the route has one, `cookies` the Cookie header lines.
    """

    flows: Flows
    origin: Origin
    host: str
    secure: bool
    query: str
    resource: str
    cookies: tuple[str, ...]

    @property
    def app(self) -> App:
        """The app that the request belongs to."""
        return self.origin.app

    def on(self, device: Device) -> Origin:
        """The origin, with the device that the request told of."""
        return replace(self.origin, device=device)

    async def refuse(self, denied: Denied, names: Mapping[str, str] | None = None) -> Reply:
        """The answer for a flow's refusal; `names`: the core's field name -> this call's.

        Whoever must pass a behaviour test gets one at once (docs/contracts/weidu.md section 6).
        """
        if denied.code in _ASKS_FOR_TEST and denied.challenge is None:
            challenge = await self.flows.captcha.new_challenge(self.origin)
            denied = replace(denied, challenge=challenge.as_json())
        return problems.refuse(denied, self.origin.language, names or {})


@dataclass(frozen=True, slots=True)
class PrivateCall(Call):
    """A request of somebody who is logged in."""

    caller: Authenticated


def presented(captcha_token: str) -> PassPresented | None:
    """A captcha token as the flows want it; "" is none."""
    return PassPresented(captcha_token) if captcha_token else None
