"""Log in with a code that was sent to a phone or mailbox. If the app allows it, an unknown phone is registered.

Knows limits, codes and accounts. Must not know the wire, nor how codes are sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from menshen.core.account.accounts import Account, NewAccount, time_ordered_name
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.factors.proofs import BY_MAIL, BY_SMS
from menshen.core.gates.captcha import Action
from menshen.core.identifiers import Identifier, Kind, identifier_of
from menshen.core.keys import Keyring
from menshen.core.login.asks import CodeLogin
from menshen.core.login.outcomes import LoginOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, Problem, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.core.tokens import TOKEN_BYTES, base32
from menshen.flows.audit.recording import event_of
from menshen.flows.codes.attempts import CODE_REFUSALS, code_key, redeem_code
from menshen.flows.codes.claims import drop_claims
from menshen.flows.gates.captcha import CAPTCHA_REFUSALS
from menshen.flows.gates.device_signs import SIGN_REFUSALS
from menshen.flows.gates.password_attempts import suspension_keys
from menshen.flows.login.finish import finish_login, mint
from menshen.flows.login.second_step import take_second_code
from menshen.flows.proofs.judging import Judges
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.accounts import AlreadyTaken
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.LOGIN,
    CAPTCHA_REFUSALS | SIGN_REFUSALS | CODE_REFUSALS | {ProblemCode.NOT_REGISTERED, ProblemCode.ACCOUNT_DISABLED},
    method="code",
    deny_list=True,
    device_rule=True,
)
async def login_code(
    ask: CodeLogin,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    judges: Judges,
) -> LoginOutcome:
    """Spend the code, and judge a second code only after a right one. Return Granted with a durable session, or Denied.

    StepNeeded: a second step is due. Denied: CAPTCHA_REQUIRED, CAPTCHA_INVALID, TOO_MANY_REQUESTS, WRONG_CODE; only
    after a correct code also ACCOUNT_DISABLED, NOT_REGISTERED.
    (docs/contracts/weidu.md section 3.1, docs/contracts/factors.md section 2.)
    """
    outcome = await _login(ask, origin, store=store, world=world, keyring=keyring, policy=policy)
    return await take_second_code(outcome, ask.second_code, origin, store=store, world=world, judges=judges)


async def _login(
    ask: CodeLogin, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> LoginOutcome:
    """Spend the code, and answer as `login_code` does."""
    now = world.now()
    identifier = identifier_of(ask.subject)
    key = code_key(origin, Purpose.LOGIN, ask.subject)
    proof = None if policy.test_number(ask.subject, now) else key

    async def burn(tx: WriteTx) -> Denied | None:
        return await redeem_code(
            tx, key, ask.code, ask.captcha, Action.LOGIN_CODE, origin, keyring=keyring, policy=policy, now=now
        )

    # The code is spent before a login is granted. It stays spent if the transaction below fails (decision 0003).
    if refusal := await store.write(burn):
        return refusal
    minted = mint(world, origin.rules)
    newcomer = draw_newcomer(world, identifier, now)

    async def grant(tx: WriteTx) -> LoginOutcome:
        account = await tx.accounts.hold_owner(identifier)
        if account is None:
            if proof and not await tx.codes.stands(proof):
                return await _refused(tx, ProblemCode.WRONG_CODE, None)
            if not origin.app.registers_at_login or identifier.kind is not Kind.PHONE:
                return await _refused(tx, ProblemCode.NOT_REGISTERED, None)
            account = await settle_newcomer(tx, newcomer, identifier, origin, now)
        outcome = await finish_login(
            tx,
            account,
            origin,
            minted,
            keyring=keyring,
            policy=policy,
            now=now,
            method="code",
            proof=BY_SMS if identifier.kind is Kind.PHONE else BY_MAIL,
            platform=ask.platform,
            by=proof,
            reset_counters=suspension_keys(keyring, account, origin),
        )
        # An active account is refused if a change of it, which deletes its codes, came between the two transactions.
        reason = ProblemCode.WRONG_CODE if account.active else ProblemCode.ACCOUNT_DISABLED
        return outcome or await _refused(tx, reason, account)

    async def _refused(tx: WriteTx, code: ProblemCode, account: Account | None) -> Denied:
        number = account.number if account else None
        await tx.audit.append(
            event_of(Tag.LOGIN_REFUSED, origin, now, account=number, subject=ask.subject, reason=code.value)
        )
        return Denied(code)

    try:
        return await store.write(grant)
    except AlreadyTaken:
        # A concurrent request registered the same phone with another app's code, so there is an owner to find now.
        # Or two new accounts of the same millisecond drew the same username.
        newcomer = draw_newcomer(world, identifier, now)
        return await grant_again(store, grant)


async def grant_again(store: Store, grant: Callable[[WriteTx], Awaitable[LoginOutcome]]) -> LoginOutcome:
    """Run `grant` after another account was in its way.

    Raises:
        Problem: UNAVAILABLE, if yet another one is. A stranger may be claiming the phone again and again.
    """
    try:
        return await store.write(grant)
    except AlreadyTaken as taken:
        raise Problem(ProblemCode.UNAVAILABLE, f"{taken.field} was taken twice", 1) from taken


def draw_newcomer(world: World, identifier: Identifier, now: Instant, password_hash: str = "") -> NewAccount:
    """Make an account for the verified `identifier`, with a time-ordered username."""
    name = time_ordered_name(now, int.from_bytes(world.token_bytes(3)))
    phone = identifier.canonical if identifier.kind is Kind.PHONE else None
    email = identifier.canonical if identifier.kind is Kind.EMAIL else None
    return NewAccount(
        public_id=base32(world.token_bytes(TOKEN_BYTES)),
        username=name,
        username_shown=name,
        phone=phone,
        phone_verified=phone is not None,
        email=email,
        email_verified=email is not None,
        password_hash=password_hash,
        created_at=now,
    )


async def settle_newcomer(
    tx: WriteTx, newcomer: NewAccount, identifier: Identifier, origin: Origin, now: Instant
) -> Account:
    """Register a new account with the verified `identifier`, and remove it from accounts that have it unverified.

    Raises AlreadyTaken if another account verified it at the same moment.
    """
    await drop_claims(tx, identifier, origin, now)
    account = await tx.accounts.add(newcomer)
    await tx.audit.append(
        event_of(
            Tag.ACCOUNT_REGISTERED, origin, now, account=account.number, subject=identifier.canonical, reason="code"
        )
    )
    return account
