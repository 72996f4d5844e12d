"""Define the call that a handler gets: its parameters, caller and app, after the public rules.

Must not know the checks before it. (docs/contracts/careyshop.md sections 1.4 and 3.1.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
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
from menshen.wire.careyshop.settings import Settings

PASSWORD_MIN: Final = 6
"""This dialect's clients promise their users six characters. Common passwords of any length are refused."""

RULES: Final = DialectRules("careyshop", TokenStyle.HEX, FIXED, SessionRule.ONE_PER_PLATFORM, PASSWORD_MIN)

RECORDED_RULES: Final = replace(RULES, answers_again=False)
"""The rules with `recorded_manners`: the recorded server refused every pair that was spent. (Decision 0011.)"""


@dataclass(frozen=True, slots=True)
class Call:
    """Hold the input of a handler.

    `app` is the app of the appkey, None for an unknown or missing one. The origin's app is never None. Neither is
    disabled: such a call is refused before. `appkey_ignored`: it was a disabled app's, and `recorded_manners` is on.
    Without a token, `token` is "" and `caller` is None. `site` is the URL that the client called. `note` logs a refusal
    by its word.
    """

    parameters: Parameters
    flows: Flows
    settings: Settings
    origin: Origin
    app: App | None
    token: str = field(repr=False)
    caller: Authenticated | None
    site: str
    note: Callable[[str], None]
    appkey_ignored: bool = False

    def who(self) -> Authenticated:
        """Return the caller.

        Raises:
            Refused: 403, the request has no valid session.
        """
        if self.caller is None:
            raise Refused(texts.FORBIDDEN, 403)
        return self.caller


Handler = Callable[[Call], Awaitable[Any]]
"""A function from a call to the `data` of a success. It raises `Refused`."""
