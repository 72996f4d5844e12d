"""Show people what their account has beside its first proof."""

from __future__ import annotations

from menshen.core.factors.asks import BY_CODE, BY_PASSWORD
from menshen.core.factors.enrolment import allows
from menshen.core.factors.freshness import fresh_until, needs_factor
from menshen.core.factors.outcomes import EnrolledFactor, FactorList
from menshen.core.factors.proofs import BY_SMS, Factor, asks
from menshen.core.gates.members import SESSION_CALLS
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.gates.holding import asked_anywhere
from menshen.flows.login.steps import usable_factors
from menshen.flows.proofs.kinds import FactorKinds
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.store import Store
from menshen.ports.world import World


@use_case(FlowKind.LOOKUP, {ProblemCode.UNAUTHENTICATED}, quota=SESSION_CALLS)
async def list_factors(
    caller: Authenticated, origin: Origin, *, store: Store, world: World, factor_kinds: FactorKinds
) -> FactorList | Denied:
    """List the factors, passkeys, recovery codes and trusted devices of the caller. Nothing secret is in it.

    Denied: TOO_MANY_REQUESTS, by the quota; UNAUTHENTICATED, if the account is gone.
    """
    number, app, read = caller.account.number, origin.app, store.read
    account = await read.accounts.find(number)
    if account is None or not account.active:
        return Denied(ProblemCode.UNAUTHENTICATED)
    kinds = factor_kinds.names | {Factor.PASSKEY, Factor.RECOVERY}
    now, session = world.now(), caller.session
    factors = [stored for stored in await read.factors.list_of(number) if stored.sealed]
    passkeys = await read.passkeys.list_of(number)
    codes_left = await read.recovery_codes.left(number)
    # Without SMS: such a code is sent for a login only.
    usable = await usable_factors(read, account, app, BY_SMS)
    relied_on = bool(passkeys or factors) and await asked_anywhere(read, account)
    by_factor = relied_on or needs_factor(account, session, app)
    known = [BY_PASSWORD] * bool(account.password_hash) + [BY_CODE] * bool(account.proved)
    return FactorList(
        second_step=account.second_step,
        factors=[EnrolledFactor(stored.kind, stored.confirmed_at, stored.used_at) for stored in factors],
        passkeys=passkeys,
        codes_left=codes_left,
        trusted=await read.trusted_devices.list_of(number, now),
        allowed=[kind for kind in app.factors.split() if kind in kinds and allows(app, kind)],
        required=asks(app, account),
        level=session.level,
        prove_with=[*([] if by_factor else known), *usable],
        fresh_until=fresh_until(session, now, by_factor=by_factor),
    )
