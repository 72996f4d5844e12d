"""Hold the caller of a private call: what the token check read is read again behind the locks of its rows.

PostgreSQL runs at READ COMMITTED. A transaction waits at a row that another one changes, and goes on when that one has
committed. What it read before may not be so any more. What the account must prove is looked up here, too.
"""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.factors.freshness import has_fresh_proof, lacks_factor
from menshen.core.factors.proofs import asks
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.sessions.sessions import Session
from menshen.core.time import Instant
from menshen.ports.store.store import ReadTx, WriteTx


async def hold_caller(tx: WriteTx, caller: Authenticated) -> Account:
    """Lock the caller's account and session for the rest of the transaction. Return the account behind the lock.

    What was read when the token was checked may have changed since. A change must be judged by what is returned here.

    Raises:
        Problem: UNAUTHENTICATED, if the session ended meanwhile. The transaction is rolled back.
    """
    present = await tx.sessions.hold(caller.session.session_id)
    if present is None:
        raise Problem(ProblemCode.UNAUTHENTICATED, "the session ended before its change")
    return present


async def asked_anywhere(tx: ReadTx | WriteTx, account: Account) -> bool:
    """Return whether any app asks this account for two proofs. The strictest one decides what it must keep."""
    return any(asks(app, account) for app in await tx.apps.list_all() if not app.disabled)


async def has_factor(tx: ReadTx | WriteTx, account_number: int) -> bool:
    """Return whether the account has a passkey, or a confirmed factor of a plug-in."""
    if any(stored.sealed for stored in await tx.factors.list_of(account_number)):
        return True
    return bool(await tx.passkeys.list_of(account_number))


async def lacks_factor_anywhere(tx: WriteTx, account: Account, session: Session, origin: Origin, now: Instant) -> bool:
    """Return whether a held account must prove a factor first, by its own choice or by the rule of any app.

    A phone can be the second step of the strictest app, so a laxer one or a trusted device must not change it.
    """
    if session.fresh_second(now):
        return False
    if lacks_factor(account, session, origin.app, now):
        return True
    return await asked_anywhere(tx, account) and await has_factor(tx, account.number)


async def hold_to_change(tx: WriteTx, caller: Authenticated, origin: Origin, now: Instant) -> Account | Denied:
    """Lock the caller, and demand a fresh proof for a change of factors. Denied: PROOF_REQUIRED.

    Where any app asks this account for two proofs, and it has a factor, only a factor proves it, at each app. So a
    stolen password puts no factor of its own beside it through an app that asks for less.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile.
    """
    account, session = await hold_caller(tx, caller), caller.session
    if not has_fresh_proof(account, session, origin.app, now):
        return Denied(ProblemCode.PROOF_REQUIRED)
    if await lacks_factor_anywhere(tx, account, session, origin, now):
        return Denied(ProblemCode.PROOF_REQUIRED)
    return account
