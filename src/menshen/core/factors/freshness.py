"""Decide whether a proof is fresh enough for a change. (docs/contracts/factors.md section 8.)"""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.apps import App
from menshen.core.factors.proofs import asks
from menshen.core.sessions.sessions import FRESH_FOR, Session
from menshen.core.time import NEVER, Instant, after


def has_fresh_proof(account: Account, session: Session, app: App, now: Instant) -> bool:
    """Return whether the session proved identity in the last 10 minutes, as the account needs it.

    An account with a second step proves it by a factor: neither a password nor an SMS alone is enough.
    """
    return session.fresh_second(now) if needs_factor(account, session, app) else session.fresh(now)


def has_proof(account: Account, session: Session, app: App) -> bool:
    """Return whether the session ever proved identity, as the account needs it. One by a QR code did not."""
    return (session.second_at if needs_factor(account, session, app) else session.proved_at) > NEVER


def lacks_factor(account: Account, session: Session, app: App, now: Instant) -> bool:
    """Return whether a factor must be proved first. A password or a code in the request is then not enough."""
    return needs_factor(account, session, app) and not session.fresh_second(now)


def fresh_until(session: Session, now: Instant, *, by_factor: bool) -> Instant:
    """Return until when the proof of the session is fresh, 0 if it is not. `by_factor`: only a factor counts."""
    proved = session.second_at if by_factor else session.proved_at
    return after(proved, FRESH_FOR) if now - proved < FRESH_FOR else NEVER


def needs_factor(account: Account, session: Session, app: App) -> bool:
    """Return whether only a factor proves identity again: the account wants it, or the app and the session has one."""
    return account.second_step or (session.level > 1 and asks(app, account))
