"""Delete an account for good: its owner with a proof in the request, or an operator. (decision 0063.)"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from menshen.core.account.accounts import Account
from menshen.core.account.asks import Deletion
from menshen.core.audit.events import ADMIN, Tag
from menshen.core.codes.one_time_codes import CodeKey
from menshen.core.delivery.messages import Template
from menshen.core.factors.freshness import lacks_factor
from menshen.core.keys import Keyring
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import Instant
from menshen.flows.account.notices import notify
from menshen.flows.account.proving import hold_proved, prove_password, spend_proof_code
from menshen.flows.audit.recording import event_by
from menshen.flows.codes.attempts import CODE_REFUSALS, dead_proof_event
from menshen.flows.gates.concurrency import AttemptGate
from menshen.flows.gates.holding import hold_caller
from menshen.flows.gates.password_attempts import PASSWORD_REFUSALS
from menshen.flows.sessions.manage import end_all_sessions
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.CHANGE,
    PASSWORD_REFUSALS | CODE_REFUSALS | {ProblemCode.PROOF_REQUIRED, ProblemCode.UNAUTHENTICATED},
)
async def delete_account(
    ask: Deletion,
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
    """Delete the caller's account as `close_out` does, and notify each proved contact.

    A recent login is no proof here: a stolen session is often a recent one. An account with a second step needs a
    factor of the last 10 minutes beside the proof in the request. That factor alone is enough for an account that has
    neither a password nor a proved phone or email. It has no quota: it succeeds once, and its proofs are counted.
    Denied: PROOF_REQUIRED, WRONG_CREDENTIALS, WRONG_CODE, TOO_MANY_REQUESTS, PASSWORD_SUSPENDED.
    (docs/contracts/weidu.md section 5.11, docs/contracts/factors.md section 8.)

    Raises:
        Problem: UNAUTHENTICATED, if the caller's session ended meanwhile, by the same deletion too.
    """

    async def delete(tx: WriteTx, account: Account, now: Instant, by: str) -> None:
        await close_out(tx, account, origin, now, reason=by)
        await notify(tx, account.proved, Template.ACCOUNT_DELETED, now, origin=origin, keyring=keyring, policy=policy)

    return await after_proof(
        ask,
        delete,
        caller,
        origin,
        store=store,
        hasher=hasher,
        world=world,
        keyring=keyring,
        policy=policy,
        attempt_gate=attempt_gate,
    )


async def after_proof(
    ask: Deletion,
    act: Callable[[WriteTx, Account, Instant, str], Awaitable[None]],
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
    """Judge the proofs that closing an account needs, and run `act` behind its lock. All of them that close one do.

    `act` gets the transaction, the account, the time, and by what the owner proved it: code, factor or password.
    Denied and raised: as `delete_account`.
    """
    if _lacks_proof(ask, caller.account, caller, origin, world.now()):
        return Denied(ProblemCode.PROOF_REQUIRED)
    if ask.password is not None and (
        refusal := await prove_password(
            ask.password,
            caller,
            origin,
            store=store,
            hasher=hasher,
            world=world,
            keyring=keyring,
            policy=policy,
            attempt_gate=attempt_gate,
        )
    ):
        return refusal
    now, code = world.now(), ask.proof_code if ask.password is None else None

    async def burn(tx: WriteTx) -> CodeKey | Denied:
        present = await hold_caller(tx, caller)
        if _lacks_proof(ask, present, caller, origin, now):
            return Denied(ProblemCode.PROOF_REQUIRED)
        return await spend_proof_code(tx, present, code or "", origin, keyring=keyring, policy=policy, now=now)

    # The proof is spent before the account is deleted. It stays spent if the transaction below fails (decision 0003).
    spent = None if code is None else await store.write(burn)
    if isinstance(spent, Denied):
        return spent

    async def work(tx: WriteTx) -> ActionOutcome:
        present = await hold_proved(tx, caller, by_password=ask.password is not None)
        if isinstance(present, Denied):
            return present
        if _lacks_proof(ask, present, caller, origin, now):
            return Denied(ProblemCode.PROOF_REQUIRED)
        # A change of the account that came between the two transactions has deleted its codes.
        if spent and not policy.test_number(spent.subject, now) and not await tx.codes.stands(spent):
            await tx.audit.append(dead_proof_event(spent, origin, now))
            return Denied(ProblemCode.WRONG_CODE)
        by = "code" if spent else "factor" if ask.password is None else "password"
        await act(tx, present, now, by)
        return Done()

    return await store.write(work)


def _lacks_proof(ask: Deletion, account: Account, caller: Authenticated, origin: Origin, now: Instant) -> bool:
    """Return whether the request and its session prove less than a deletion needs."""
    if lacks_factor(account, caller.session, origin.app, now):
        return True
    if ask.password is not None or ask.proof_code is not None:
        return False
    return bool(account.password_hash or account.proved) or not caller.session.fresh_second(now)


async def close_out(
    tx: WriteTx, account: Account, origin: Origin | None, now: Instant, *, reason: str = "", source: str = ADMIN
) -> None:
    """Close a locked account in the caller's transaction, with its events.

    `origin` is None where no request closes it. Then the event has `source`: that of an administrator, or "".

    Its profile, password, factors, sessions, codes, waiting messages and known devices are erased, with
    its agreements, links of notices and tickets of exports. Its identifiers are
    free, and its number stays retired. Limits stay: else deleting would refill those of its phone and email.
    """
    await tx.accounts.close(account.number, now=now)
    await end_all_sessions(tx, account.number, origin, now, reason="account_closed")
    for subject in account.proved:
        await tx.codes.drop(subject)
    await tx.devices.forget_all(account.number)
    await tx.factors.remove_all(account.number)
    await tx.passkeys.remove_all(account.number)
    await tx.passkeys.forget_handle(account.number)
    await tx.recovery_codes.remove_all(account.number)
    await tx.agreements.forget_all(account.number)
    await tx.security_links.remove_all(account.number)
    await tx.export_tickets.remove_all(account.number)
    await tx.outbox.drop_waiting(account.proved)
    closed = event_by(
        origin, Tag.ACCOUNT_CLOSED, now, account=account.number, subject=account.username or "", reason=reason
    )
    await tx.audit.append(closed if origin else replace(closed, source=source))
