"""Look up other accounts: whether an identifier is in use (counted), and public profiles."""

from __future__ import annotations

from menshen.core.account.accounts import Account, Status
from menshen.core.apps import CaptchaRule
from menshen.core.gates.captcha import Action, Presented
from menshen.core.gates.limits import Quota
from menshen.core.identifiers import Identifier, Kind
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.flows.gates.captcha import CAPTCHA_REFUSALS, burn, burn_where_always
from menshen.flows.gates.network_quotas import charge_networks
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
    """Check whether an account can log in with `identifier`. (docs/contracts/weidu.md section 5.4.)

    Denied: NOT_FOUND (the app has this call turned off), TOO_MANY_REQUESTS. From a network's sixth call in an hour on
    also CAPTCHA_REQUIRED and CAPTCHA_INVALID. An app that always asks for a captcha has no free calls.
    """
    if not origin.app.exist_calls:
        return Denied(ProblemCode.NOT_FOUND)
    now = world.now()

    async def admit(tx: WriteTx) -> Denied | None:
        if refusal := await charge_oracle(tx, origin, keyring, policy, now):
            return refusal
        most = 0 if origin.app.captcha is CaptchaRule.ALWAYS else policy.limits.exist_free
        free = await charge_networks(tx, Quota.EXIST_NETWORK_FREE, most, origin, keyring=keyring, now=now)
        if free is None:
            return None
        return await burn(tx, presented, Action.EXIST, origin, keyring, now)

    if refusal := await store.write(admit):
        return refusal
    return await store.read.accounts.find_owner(identifier) is not None


@use_case(FlowKind.LOOKUP, CAPTCHA_REFUSALS | {ProblemCode.NOT_FOUND, ProblemCode.TOO_MANY_REQUESTS}, deny_list=True)
async def taken(
    field: str,
    value: str,
    except_number: int | None,
    presented: Presented | None,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> bool | Denied:
    """Check whether an open account other than `except_number` has this username, phone (canonical) or nickname.

    Denied: NOT_FOUND (the app has this call turned off), TOO_MANY_REQUESTS. If the app always asks for a captcha also
    CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_EXPIRED. (docs/contracts/careyshop.md section 5.6.)
    """
    if not origin.app.exist_calls:
        return Denied(ProblemCode.NOT_FOUND)
    now = world.now()

    async def admit(tx: WriteTx) -> Denied | None:
        if refusal := await charge_oracle(tx, origin, keyring, policy, now):
            return refusal
        return await burn_where_always(tx, presented, Action.EXIST, origin, keyring, now)

    if refusal := await store.write(admit):
        return refusal
    if field == "nickname":
        return await store.read.accounts.nickname_taken(value, except_number)
    claims = await store.read.accounts.find_claims(Identifier(Kind(field), value))
    return any(account.number != except_number for account in claims)


async def charge_oracle(tx: WriteTx, origin: Origin, keyring: Keyring, policy: Policy, now: Instant) -> Denied | None:
    """Charge a call whose answer may tell whether a name, phone or email is taken, by any use case."""
    most = policy.limits.exist_per_network
    wait = await charge_networks(tx, Quota.EXIST_NETWORK_HOUR, most, origin, keyring=keyring, now=now)
    return Denied(ProblemCode.TOO_MANY_REQUESTS, wait) if wait else None


@use_case(FlowKind.LOOKUP)
async def find_account(public_id: str, *, store: Store) -> Account | None:
    """Find an open account by its public id. The dialect shows only its public fields."""
    account = await store.read.accounts.find_by_public_id(public_id)
    return account if account and account.status is not Status.CLOSED else None
