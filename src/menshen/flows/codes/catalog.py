"""List the use cases of one-time codes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from menshen.core.codes.asks import CodeSent, CodeTry, SendCode
from menshen.core.outcomes import ActionOutcome
from menshen.core.problems import Denied
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.codes.send import send_code
from menshen.flows.codes.verify import use_code, verify_code
from menshen.flows.use_case import served_by


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFlows:
    """Send codes, and verify them outside of logins."""

    send: Callable[[SendCode, Origin], Awaitable[CodeSent | Denied]] = field(metadata=served_by(send_code))
    """Send a code to a phone or mailbox."""
    verify: Callable[[CodeTry, Origin], Awaitable[ActionOutcome]] = field(metadata=served_by(verify_code))
    """Mark a code as verified, so that `use` can consume it."""
    use: Callable[[str, Authenticated | None, Origin], Awaitable[ActionOutcome]] = field(metadata=served_by(use_code))
    """Consume the verified code of a phone or email (canonical). With a caller, mark it as verified on the account."""
