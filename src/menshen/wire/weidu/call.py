"""Define the call that a handler gets: the parts of the request, and the flows it may use.

Must not know the paths, nor how an answer is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from menshen.core.apps import App, SessionRule
from menshen.core.gates.captcha import PassPresented, ProofOfWork
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
    """Hold a request that needs no login.

    `host` is the Host header in lower case. `secure` is true if the client speaks HTTPS. `query` is the raw query
    string. `resource` is the last part of the path where the route has one. `cookies` are the Cookie header lines.
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
        """Return the app that the request belongs to."""
        return self.origin.app

    def on(self, device: Device, trust_token: str = "") -> Origin:
        """Return the origin with the device that the request names.

        `trust_token` is that of a trusted device in the body. A cookie goes before it.
        """
        origin = self.origin
        if not trust_token or origin.step.trust:
            return replace(origin, device=device)
        return replace(origin, device=device, step=replace(origin.step, trust=trust_token))

    async def refuse(self, denied: Denied, names: Mapping[str, str] | None = None) -> Reply:
        """Return the answer for a flow's refusal. `names` maps the core's field names to this call's.

        A refusal that asks for a behaviour test holds one, unless the app's page shows that of a vendor
        (docs/contracts/weidu.md section 6).
        """
        if denied.code in _ASKS_FOR_TEST and denied.challenge is None:
            challenge = await self.flows.captcha.new_challenge(self.origin)
            if isinstance(challenge, ProofOfWork):
                denied = replace(denied, challenge=challenge.as_json())
        return problems.refuse(denied, self.origin.language, names or {})


@dataclass(frozen=True, slots=True)
class PrivateCall(Call):
    """Hold a request of a logged-in user."""

    caller: Authenticated


def presented(captcha_token: str) -> PassPresented | None:
    """Return a captcha token for the flows. "" becomes None."""
    return PassPresented(captcha_token) if captcha_token else None
