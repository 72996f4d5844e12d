"""Carry one call to a handler: what was read of the request, and what the handler may use.

It must not know the paths, nor how an answer leaves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from menshen.core.apps import SessionRule
from menshen.core.rules import DialectRules, Origin
from menshen.core.sessions.sessions import SLIDING
from menshen.core.strict_json import NotStrictError, read_object
from menshen.core.tokens import TokenStyle
from menshen.flows.catalog import Flows
from menshen.wire.specimen.envelope import Reply
from menshen.wire.specimen.problems import MALFORMED, Refused

RULES: Final = DialectRules("specimen", TokenStyle.BASE32, SLIDING, SessionRule.ONE_PER_DEVICE)
"""26-character tokens, sliding sessions, one session a device."""

B = TypeVar("B", bound=Struct)


@dataclass(frozen=True, slots=True)
class Call:
    """Hold a request. `body` is its bytes, `token` the bearer token that it carried, "" for none."""

    flows: Flows
    origin: Origin
    body: bytes = field(repr=False)
    token: str = field(repr=False)

    def read(self, kind: type[B]) -> B:
        """Return the body as the Struct `kind`.

        Raises:
            Refused: the body is no strict JSON object, or it lacks what `kind` asks for.
        """
        try:
            return msgspec.convert(read_object(self.body), kind, strict=True)
        except (NotStrictError, msgspec.ValidationError):
            raise Refused(MALFORMED) from None


Handler = Callable[[Call], Awaitable[Reply]]
"""From a call to its answer. It raises `Refused` for what only the wire refuses, and `Problem` as flows do."""
