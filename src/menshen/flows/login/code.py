"""Log in with a code that was sent to a phone or mailbox; an unknown phone is registered by it.

Knows limits, codes, accounts. Must not know the wire, nor who sends.
"""

from __future__ import annotations

from menshen.core.account.accounts import Account, NewAccount, time_ordered_name
from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.gates.captcha import Action
from menshen.core.identifiers import Identifier, Kind, identifier_of
from menshen.core.keys import Keyring
from menshen.core.login.asks import CodeLogin
from menshen.core.login.outcomes import LoginOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.core.tokens import TOKEN_BYTES, base32
from menshen.flows.audit.recording import event_of
from menshen.flows.codes.attempts import CODE_REFUSALS, burn_code_captcha, code_key, try_code
from menshen.flows.codes.claims import drop_claims
from menshen.flows.gates.captcha import CAPTCHA_REFUSALS
from menshen.flows.gates.device_signs import SIGN_REFUSALS, spend_sign
from menshen.flows.gates.password_attempts import suspension_keys
from menshen.flows.login.finish import finish_login, mint
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.store.accounts import AlreadyTaken
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.LOGIN,
    CAPTCHA_REFUSALS | SIGN_REFUSALS | CODE_REFUSALS | {ProblemCode.NOT_REGISTERED, ProblemCode.ACCOUNT_DISABLED},
    method="code",
    deny_list=True,
)
async def login_code(
    ask: CodeLogin, origin: Origin, *, store: Store, world: World, keyring: Keyring, policy: Policy
) -> LoginOutcome:
    """Granted with a durable session, or Denied.

    CAPTCHA_REQUIRED, CAPTCHA_INVALID, TOO_MANY_REQUESTS, WRONG_CODE; and only after a right code
    ACCOUNT_DISABLED, NOT_REGISTERED. (docs/contracts/weidu.md section 3.1.)
    """
    now = world.now()
    identifier = identifier_of(ask.subject)
    key = code_key(origin, Purpose.LOGIN, ask.subject)

    async def burn(tx: WriteTx) -> Denied | None:
        refusal = await burn_code_captcha(tx, ask.captcha, Action.LOGIN_CODE, key, origin, keyring=keyring, now=now)
        refusal = refusal or await spend_sign(tx, origin)
        return refusal or await try_code(tx, key, ask.code, origin, keyring=keyring, policy=policy, now=now)

    # Burn before grant: the code is spent even if the transaction below fails (decision 0003).
    if refusal := await store.write(burn):
        return refusal
    minted = mint(world, origin.rules)
    newcomer = draw_newcomer(world, identifier, now)

    async def grant(tx: WriteTx) -> LoginOutcome:
        account = await tx.accounts.find_owner(identifier)
        if account is None:
            if not origin.app.auto_register or identifier.kind is not Kind.PHONE:
                return await _refused(tx, ProblemCode.NOT_REGISTERED, None)
            account = await settle_newcomer(tx, newcomer, identifier, origin, now)
        granted = await finish_login(
            tx,
            account,
            origin,
            minted,
            keyring=keyring,
            now=now,
            method="code",
            platform=ask.platform,
            reset_counters=suspension_keys(keyring, account, origin),
        )
        return granted or await _refused(tx, ProblemCode.ACCOUNT_DISABLED, account)

    async def _refused(tx: WriteTx, code: ProblemCode, account: Account | None) -> Denied:
        number = account.number if account else None
        await tx.audit.append(
            event_of(Tag.LOGIN_REFUSED, origin, now, account=number, subject=ask.subject, reason=code.value)
        )
        return Denied(code)

    try:
        return await store.write(grant)
    except AlreadyTaken:
        # Somebody registered the same phone in this moment, by another app's code: now there is an owner to find.
        # Or two newcomers of one millisecond drew the same name.
        newcomer = draw_newcomer(world, identifier, now)
        return await store.write(grant)


def draw_newcomer(world: World, identifier: Identifier, now: Instant, password_hash: str = "") -> NewAccount:
    """An account for whoever proved `identifier`, with a time-ordered username."""
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
    """Register whoever proved `identifier`, taking it off accounts that only claimed it.

    Raises AlreadyTaken when another account proved it in the same moment.
    """
    await drop_claims(tx, identifier, origin, now)
    account = await tx.accounts.add(newcomer)
    await tx.audit.append(
        event_of(
            Tag.ACCOUNT_REGISTERED, origin, now, account=account.number, subject=identifier.canonical, reason="code"
        )
    )
    return account
