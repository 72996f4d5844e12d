"""What may be asked about other accounts: whether an identifier is in use (counted), and public profiles."""

from __future__ import annotations

from menshen.core.account.accounts import Account, Status
from menshen.core.gates.captcha import Action, Presented
from menshen.core.gates.limits import Claim, Quota
from menshen.core.identifiers import Identifier, Kind
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import HOUR, Instant
from menshen.flows.gates.captcha import CAPTCHA_REFUSALS, burn
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(FlowKind.LOOKUP, CAPTCHA_REFUSALS | {ProblemCode.NOT_FOUND, ProblemCode.TOO_MANY_REQUESTS}, deny_list=True)
async def exists(
    identifier: Identifier,
    presented: Presented | None,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> bool | Denied:
    """Whether an account logs in by `identifier`. (docs/contracts/weidu.md section 5.4.)

    Denied: NOT_FOUND (the app has it turned off), TOO_MANY_REQUESTS, and from the sixth call of a network in an hour
    CAPTCHA_REQUIRED and CAPTCHA_INVALID.
    """
    if not origin.app.exist_calls:
        return Denied(ProblemCode.NOT_FOUND)
    now = world.now()

    async def admit(tx: WriteTx) -> Denied | None:
        if refusal := await _charge(tx, origin, keyring, policy, now):
            return refusal
        free = keyring.counter_key(Quota.EXIST_NETWORK_FREE, origin.network)
        if await tx.counters.charge([Claim(free, policy.limits.exist_free, HOUR)], now) is None:
            return None
        return await burn(tx, presented, Action.EXIST, origin, keyring, now)

    if refusal := await store.write(admit):
        return refusal
    return await store.read.accounts.find_owner(identifier) is not None


@use_case(FlowKind.LOOKUP, {ProblemCode.TOO_MANY_REQUESTS}, deny_list=True)
async def taken(
    field: str,
    value: str,
    except_number: int | None,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> bool | Denied:
    """Whether an open account other than `except_number` has this username, phone (canonical) or nickname.

    Denied: TOO_MANY_REQUESTS. (docs/contracts/careyshop.md section 5.6.)
    """
    now = world.now()

    async def admit(tx: WriteTx) -> Denied | None:
        return await _charge(tx, origin, keyring, policy, now)

    if refusal := await store.write(admit):
        return refusal
    if field == "nickname":
        return await store.read.accounts.nickname_taken(value, except_number)
    claims = await store.read.accounts.find_claims(Identifier(Kind(field), value))
    return any(account.number != except_number for account in claims)


async def _charge(tx: WriteTx, origin: Origin, keyring: Keyring, policy: Policy, now: Instant) -> Denied | None:
    quota = keyring.counter_key(Quota.EXIST_NETWORK_HOUR, origin.network)
    wait = await tx.counters.charge([Claim(quota, policy.limits.exist_per_network, HOUR)], now)
    return Denied(ProblemCode.TOO_MANY_REQUESTS, wait) if wait else None


@use_case(FlowKind.LOOKUP)
async def find_account(public_id: str, *, store: Store) -> Account | None:
    """An open account by its public id; the dialect shows its public fields only."""
    account = await store.read.accounts.find_by_public_id(public_id)
    return account if account and account.status is not Status.CLOSED else None
