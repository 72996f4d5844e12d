"""List the use cases of sessions: check a token, list and end sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from menshen.core.outcomes import ActionOutcome
from menshen.core.problems import Denied
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated, Bearer
from menshen.core.sessions.sessions import ListedSession
from menshen.flows.sessions.check import authenticate, check_token, recall_token
from menshen.flows.sessions.manage import disown_session, end_other_sessions, end_session, list_sessions, log_out
from menshen.flows.use_case import served_by


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFlows:
    """Check tokens, and let users list and end their own sessions."""

    recall: Callable[[str], Bearer | None] = field(metadata=served_by(recall_token))
    """Token text -> its bearer, from memory alone. None says nothing about the token: ask `check`."""
    check: Callable[[str], Awaitable[Bearer | None]] = field(metadata=served_by(check_token))
    """Token text -> its bearer, None for a token that is not valid now. It extends sliding sessions."""
    authenticate: Callable[[str], Awaitable[Authenticated | Denied]] = field(metadata=served_by(authenticate))
    """Token text -> session and account."""
    list: Callable[[Authenticated, Origin], Awaitable[Sequence[ListedSession] | Denied]] = field(
        metadata=served_by(list_sessions)
    )
    """List the caller's live sessions, newest first. Addresses are in full only after a fresh proof."""
    log_out: Callable[[Authenticated, Origin], Awaitable[ActionOutcome]] = field(metadata=served_by(log_out))
    """End the caller's session."""
    end: Callable[[str, Authenticated, Origin], Awaitable[ActionOutcome]] = field(metadata=served_by(end_session))
    """End one session of the caller's account by its opaque id."""
    end_others: Callable[[Authenticated, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(end_other_sessions)
    )
    """End all sessions of the caller's account except the caller's own."""
    disown: Callable[[str, Authenticated, Origin], Awaitable[ActionOutcome]] = field(metadata=served_by(disown_session))
    """End one session of the caller's account as not the owner's, with all trusted devices."""
