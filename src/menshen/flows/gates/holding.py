"""Hold the caller of a private call: what the token check read is read again behind the locks of its rows.

PostgreSQL runs at READ COMMITTED. A transaction waits at a row that another one changes, and goes on when that one has
committed. What it read before may not be so any more.
"""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.problems import Problem, ProblemCode
from menshen.core.sessions.outcomes import Authenticated
from menshen.ports.store.store import WriteTx


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
