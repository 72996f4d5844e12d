"""Close one's own account with days of grace. (docs/contracts/pages.md section 3, decision 0080.)"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.account.asks import Deletion
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.keys import Keyring
from menshen.core.outcomes import ActionOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import DAY, SECOND, Instant, after
from menshen.flows.account.delete_account import after_proof, delete_account
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import event_of
from menshen.flows.codes.attempts import CODE_REFUSALS
from menshen.flows.gates.concurrency import AttemptGate
from menshen.flows.gates.password_attempts import PASSWORD_REFUSALS
from menshen.flows.sessions.manage import end_all_sessions
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

MOST_DAYS: Final = 30


@use_case(
    FlowKind.CHANGE,
    PASSWORD_REFUSALS
    | CODE_REFUSALS
    | {ProblemCode.PROOF_REQUIRED, ProblemCode.INVALID_REQUEST, ProblemCode.UNAUTHENTICATED},
)
async def close_account(
    ask: Deletion,
    days: int,
    caller: Authenticated,
    origin: Origin,
    *,
    store: Store,
    hasher: PasswordHasher,
    world: World,
    keyring: Keyring,
    policy: Policy,
    attempt_gate: AttemptGate,
) -> ActionOutcome:
    """Close the caller's account: it is deleted after `days` (0 to 30, as the app's settings say), 0 for at once.

    Until then nothing is erased. All sessions, pending logins and trusted devices end, codes that were sent are dead,
    and each proved contact gets a notice with the day. A login in this time takes the closing back. It needs the proofs
    that `delete_account` needs, and has no quota for its reason: each closing needs a login.
    Denied: as `delete_account`, and INVALID_REQUEST for other days.

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile, by the same closing too.
    """
    if not 0 <= days <= MOST_DAYS:
        return Denied(ProblemCode.INVALID_REQUEST)

    async def begin(tx: WriteTx, account: Account, now: Instant, by: str) -> None:
        closes_at = after(now, days * DAY)
        await tx.accounts.set_closing(account.number, closes_at, now=now)
        await end_all_sessions(tx, account.number, origin, now, reason="account_closing")
        for subject in account.proved:
            await tx.codes.drop(subject)
        await tx.audit.append(event_of(Tag.ACCOUNT_CLOSING, origin, now, account=account.number, reason=by))
        day = datetime.fromtimestamp(closes_at // SECOND, UTC).date().isoformat()
        await notify(
            tx,
            account.proved,
            Template.ACCOUNT_CLOSING,
            now,
            origin=origin,
            keyring=keyring,
            policy=policy,
            detail=day,
        )

    if not days:
        return await delete_account(
            ask, caller, origin, store=store, hasher=hasher, world=world, keyring=keyring, policy=policy,
            attempt_gate=attempt_gate,
        )  # fmt: skip
    return await after_proof(
        ask, begin, caller, origin, store=store, hasher=hasher, world=world, keyring=keyring, policy=policy,
        attempt_gate=attempt_gate,
    )  # fmt: skip
