"""Count wrong codes of second factors, by account: over all tickets, sessions, devices, networks and nodes.

Each code is counted before it is judged, in a transaction that is committed for a wrong code, too. The account is held,
so that its codes are judged one after the other. (docs/contracts/factors.md section 4.)
"""

from __future__ import annotations

from menshen.core.audit.events import Tag
from menshen.core.gates.limits import Hit, Tally
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import DAY, Instant
from menshen.flows.audit.recording import event_of
from menshen.ports.store.store import ReadTx, WriteTx


async def count_code(
    tx: WriteTx, account_number: int, *, keyring: Keyring, policy: Policy, now: Instant
) -> Denied | None:
    """Count one code of an app, an SMS step or a recovery set. None: it may be judged.

    A refused code is not judged, so it is refunded: else a client that goes on would use up its owner's day. Denied:
    TOO_MANY_REQUESTS, with the seconds to wait.
    """
    limits, keys = policy.limits, _keys(keyring, account_number)
    near, day, _ = await tx.counters.hit(
        [
            Hit(keys[0], limits.step_window, limits.step_tries),
            Hit(keys[1], DAY, limits.step_tries_per_day),
            Hit(keys[2], limits.suspend_memory, limits.step_suspend_after, idle=True),
        ],
        now,
    )
    over = [
        count.retry_after(now)
        for count, most in ((near, limits.step_tries), (day, limits.step_tries_per_day))
        if count.tries > most
    ]
    if not over:
        return None
    await tx.counters.forgive(keys)
    return Denied(ProblemCode.TOO_MANY_REQUESTS, max(over))


async def right_code(
    tx: WriteTx, account_number: int, *, keyring: Keyring, policy: Policy, now: Instant, lifts: bool = False
) -> None:
    """Note that a counted code was right: the count of the window ends, and that of the day is refunded.

    The count of wrong codes in a row ends, too. If codes of an app are suspended, only a proof that `lifts` the
    suspension ends it: a recovery code.
    """
    near, day, row = _keys(keyring, account_number)
    if lifts or await tx.counters.peek(row, now) <= policy.limits.step_suspend_after:
        await tx.counters.clear([near, row], forgive=[day])
    else:
        await tx.counters.clear([near], forgive=[day, row])


async def refund_code(tx: WriteTx, account_number: int, *, keyring: Keyring) -> None:
    """Take back a counted code that says nothing of others: another limit refused it, or it confirmed an enrolment.

    Who enrols a factor of their own must not clear the counts of guesses at another one.
    """
    await tx.counters.forgive(_keys(keyring, account_number))


async def wrong_code(
    tx: WriteTx, account_number: int, factor: str, origin: Origin, *, keyring: Keyring, policy: Policy, now: Instant
) -> None:
    """Audit a counted code that was wrong, and the suspension if this one began it. `factor` is its kind."""
    await tx.audit.append(event_of(Tag.STEP_FAILED, origin, now, account=account_number, reason=factor))
    if await tx.counters.peek(_keys(keyring, account_number)[2], now) == policy.limits.step_suspend_after:
        await tx.audit.append(event_of(Tag.TOTP_SUSPENDED, origin, now, account=account_number))


async def lift_suspension(tx: WriteTx, account_number: int, *, keyring: Keyring) -> None:
    """End the count of the window and that of wrong codes in a row: a passkey was right, or an operator says so."""
    near, _, row = _keys(keyring, account_number)
    await tx.counters.clear([near, row])


async def is_totp_suspended(
    tx: ReadTx | WriteTx, account_number: int, *, keyring: Keyring, policy: Policy, now: Instant
) -> bool:
    """Return whether so many codes in a row were wrong that no code of an app is judged. Ask before `count_code`."""
    row = _keys(keyring, account_number)[2]
    return await tx.counters.peek(row, now) >= policy.limits.step_suspend_after


def _keys(keyring: Keyring, account_number: int) -> tuple[bytes, bytes, bytes]:
    """Return the counters of the window, of the day, and of wrong codes in a row."""
    near, day, row = (
        keyring.counter_key(tally, str(account_number))
        for tally in (Tally.STEP_WRONG, Tally.STEP_WRONG_DAY, Tally.STEP_ROW)
    )
    return near, day, row
