"""Give the answer of a refresh again to who lost it. (docs/contracts/careyshop.md section 5.1, decision 0059.)

The new pair lies in the row of its session, sealed under the spent pair, the app and the network. So it is opened only
by a caller who shows all of them, and the row alone tells nothing. No token is made here, and no life-time changes.
"""

from __future__ import annotations

from menshen.core.audit.events import Tag
from menshen.core.gates.members import pay_retry
from menshen.core.keys import Keyring
from menshen.core.login.outcomes import Granted
from menshen.core.policy import Policy
from menshen.core.rules import Origin
from menshen.core.sessions.sessions import REUSE_GRACE
from menshen.core.time import Instant
from menshen.core.tokens import digest
from menshen.flows.audit.recording import event_of
from menshen.flows.background.clock import ClockWatch
from menshen.ports.sealing import SealBroken, Sealer
from menshen.ports.store.sessions import SpentRefresh
from menshen.ports.store.store import Store, WriteTx

Shown = tuple[str, ...]


def shown_with(token: str, refresh_token: str, origin: Origin) -> Shown:
    """Return the texts that a new pair is sealed under: the pair that it replaces, the app, and the narrowest network.

    A telephone changes its address within a carrier's network between two calls, so the address itself would be too
    narrow. (core.networks)
    """
    return (token, refresh_token, str(origin.app.app_id), origin.network)


async def answer_again(
    spent: SpentRefresh,
    shown: Shown,
    origin: Origin,
    now: Instant,
    *,
    store: Store,
    keyring: Keyring,
    sealer: Sealer,
    policy: Policy,
    clocks: ClockWatch,
) -> Granted | None:
    """Return the pair that the spent one was exchanged for, or None.

    None: more than 30 s have passed, something else was shown, or that pair is not the session's present and live one.
    The first retry of a pair is counted and audited, in a transaction of its own.
    """
    if not origin.rules.answers_again or abs(clocks.shared - spent.spent_at) > REUSE_GRACE:
        return None
    try:
        pair = sealer.open_for(shown, spent.successor)
    except SealBroken:
        return None
    token, refresh_token = pair[: len(pair) // 2], pair[len(pair) // 2 :]

    async def note(tx: WriteTx) -> None:
        # It pays, and is never refused: after a wait the grace of 30 s is over, and the retry would end the session.
        paid_until = spent.paid_until
        if not clocks.doubted:
            paid_until = pay_retry(paid_until, now, policy.limits.refreshes_per_session)
        if await tx.sessions.retry(digest(token), paid_until):
            await tx.audit.append(
                event_of(Tag.REFRESH_RETRIED, origin, now, account=spent.account_number, session_id=spent.session_id)
            )

    if not spent.retried:
        await store.write(note)
    # The last step: what has ended by now, or was refreshed again, is not found.
    found = await store.read.sessions.find(digest(token))
    if found is None:
        return None
    session, account = found
    return Granted(account, session, token, keyring.csrf(session.session_id), refresh_token)
