"""One call, ready for its handler: parameters read, caller and app known, public rules kept.

Not known here: which checks came before. (docs/contracts/careyshop.md sections 1.4 and 3.1.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from menshen.core.apps import App, SessionRule
from menshen.core.rules import DialectRules, Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import FIXED
from menshen.core.tokens import TokenStyle
from menshen.flows.catalog import Flows
from menshen.wire.careyshop import texts
from menshen.wire.careyshop.parameters import Parameters
from menshen.wire.careyshop.problems import Refused

PASSWORD_MIN: Final = 6
"""This dialect's clients promise their users six characters; what is too common is refused whatever its length."""

RULES: Final = DialectRules("careyshop", TokenStyle.HEX, FIXED, SessionRule.ONE_PER_PLATFORM, PASSWORD_MIN)


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler gets.

    `app` is the app of the appkey, also a disabled one, None when the appkey is unknown or missing; the origin's
    app is never None. `token` is "" and `caller` None without one. `site` is the address that the client called.
    `note` logs a refusal by its word.
    """

    parameters: Parameters
    flows: Flows
    origin: Origin
    app: App | None
    token: str = field(repr=False)
    caller: Authenticated | None
    site: str
    note: Callable[[str], None]

    def who(self) -> Authenticated:
        """The caller.

        Raises:
            Refused: 403, nobody is logged in.
        """
        if self.caller is None:
            raise Refused(texts.FORBIDDEN, 403)
        return self.caller


Handler = Callable[[Call], Awaitable[Any]]
"""From a call to the `data` of a success; raises `Refused`."""
