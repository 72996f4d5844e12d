"""Count the calls that a person with a session makes, against the quota of their use case. (decision 0055.)"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from menshen.core.gates.limits import Claim
from menshen.core.gates.members import CountedBy, MemberQuota
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.sessions.outcomes import Authenticated
from menshen.core.time import Instant
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

T = TypeVar("T")


async def charge_member(
    tx: WriteTx, quota: MemberQuota, caller: Authenticated, *, keyring: Keyring, policy: Policy, now: Instant
) -> Denied | None:
    """Charge one call in the caller's transaction. Return Denied TOO_MANY_REQUESTS if none is left.

    A refused call leaves no row.
    """
    subject = caller.session.session_id if quota.by is CountedBy.SESSION else str(caller.account.number)
    key = keyring.counter_key(quota.quota, subject)
    wait = await tx.counters.charge([Claim(key, quota.most(policy.limits), quota.window)], now)
    return Denied(ProblemCode.TOO_MANY_REQUESTS, wait) if wait else None


def behind_quota(
    flow: Callable[..., Awaitable[T]],
    quota: MemberQuota,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> Callable[..., Awaitable[T | Denied]]:
    """Wrap `flow`, one of whose arguments is the caller. Each call is charged and committed before it begins."""

    async def counted(*asks: Any) -> T | Denied:
        caller = next(ask for ask in asks if isinstance(ask, Authenticated))
        now = world.now()

        async def charge(tx: WriteTx) -> Denied | None:
            return await charge_member(tx, quota, caller, keyring=keyring, policy=policy, now=now)

        return await store.write(charge) or await flow(*asks)

    return counted
