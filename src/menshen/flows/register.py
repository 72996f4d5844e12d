"""Becoming somebody: registration without proof (CareyShop), and sign-up by a code (weidu)."""

from __future__ import annotations

from menshen.core.accounts import Account, NewAccount
from menshen.core.captcha import Action
from menshen.core.events import Tag
from menshen.core.identifiers import Identifier, Kind, parse_username
from menshen.core.keys import Keyring
from menshen.core.limits import Claim, Quota
from menshen.core.login import CodeSignup, Edited, LoginOutcome, Origin, Registration
from menshen.core.one_time_codes import Purpose
from menshen.core.passwords import Blocklist
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import HOUR
from menshen.core.tokens import TOKEN_BYTES, base32
from menshen.flows.code_tries import burn_code_captcha, code_key, try_code
from menshen.flows.device_signs import spend_sign
from menshen.flows.finish_login import finish_login, mint
from menshen.flows.login_code import draw_newcomer, settle_newcomer
from menshen.flows.password_policy import judge_new_password, own_words
from menshen.flows.recording import event_of
from menshen.ports.accounts import AlreadyTaken
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store import Store, WriteTx
from menshen.ports.world import World


async def register(
    ask: Registration,
    origin: Origin,
    *,
    store: Store,
    hasher: PasswordHasher,
    world: World,
    keyring: Keyring,
    policy: Policy,
    blocklist: Blocklist,
) -> Edited | Denied:
    """A new account whose phone and email are claims that nobody proved: they log nobody in.

    Denied: INVALID_REQUEST (username), WEAK_PASSWORD, TOO_MANY_REQUESTS, ALREADY_TAKEN with `field` username,
    phone or nickname. (docs/contracts/core.md section 1.2, docs/contracts/careyshop.md section 5.5.)
    """
    now = world.now()
    username = parse_username(ask.username)
    if username is None:
        return Denied(ProblemCode.INVALID_REQUEST, field="username")
    words = own_words(username, ask.phone, ask.email)
    raw = judge_new_password(ask.password, origin.app, policy, blocklist, words, minimum=origin.password_min)
    if isinstance(raw, Denied):
        return raw
    quota = keyring.counter_key(Quota.REGISTER_NETWORK_HOUR, origin.network)

    async def admit(tx: WriteTx) -> int | None:
        return await tx.counters.charge([Claim(quota, policy.limits.register_per_network, HOUR)], now)

    if wait := await store.write(admit):
        return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
    new = NewAccount(
        public_id=base32(world.token_bytes(TOKEN_BYTES)),
        username=username,
        username_shown=ask.username,
        phone=ask.phone,
        email=ask.email,
        password_hash=await hasher.hash(raw),
        created_at=now,
        profile=ask.profile,
    )

    async def work(tx: WriteTx) -> Account:
        # Somebody's proved address stays theirs, and a claim of it may stand beside: it logs nobody in.
        account = await tx.accounts.add(new)
        nickname = ask.profile.nickname
        if ask.unique_nickname and nickname and await tx.accounts.nickname_taken(nickname, account.number):
            raise AlreadyTaken("nickname")
        await tx.audit.append(
            event_of(Tag.ACCOUNT_REGISTERED, origin, now, account=account.number, subject=username, reason="password")
        )
        return account

    try:
        return Edited(await store.write(work))
    except AlreadyTaken as taken:
        return Denied(ProblemCode.ALREADY_TAKEN, field=taken.field)


async def sign_up(
    ask: CodeSignup,
    origin: Origin,
    *,
    store: Store,
    hasher: PasswordHasher,
    world: World,
    keyring: Keyring,
    policy: Policy,
    blocklist: Blocklist,
) -> LoginOutcome:
    """A new account by a code to its phone, logged in.

    Denied: WEAK_PASSWORD (nothing is burnt then), CAPTCHA_REQUIRED, CAPTCHA_INVALID, TOO_MANY_REQUESTS, WRONG_CODE,
    and only after a right code ALREADY_TAKEN. (docs/contracts/weidu.md section 5.2.)
    """
    now = world.now()
    raw = judge_new_password(
        ask.password, origin.app, policy, blocklist, own_words(phone=ask.phone), minimum=origin.password_min
    )
    if isinstance(raw, Denied):
        return raw
    identifier = Identifier(Kind.PHONE, ask.phone)
    key = code_key(origin, Purpose.SIGNUP, ask.phone)

    async def burn(tx: WriteTx) -> Denied | None:
        refusal = await burn_code_captcha(tx, ask.captcha, Action.SIGNUP, key, origin, keyring=keyring, now=now)
        refusal = refusal or await spend_sign(tx, origin)
        return refusal or await try_code(tx, key, ask.code, origin, keyring=keyring, policy=policy, now=now)

    if refusal := await store.write(burn):
        return refusal
    newcomer = draw_newcomer(world, identifier, now, await hasher.hash(raw))
    minted = mint(world, origin.house)

    async def grant(tx: WriteTx) -> LoginOutcome:
        if await tx.accounts.find_owner(identifier) is not None:
            return Denied(ProblemCode.ALREADY_TAKEN, field="phone")
        account = await settle_newcomer(tx, newcomer, identifier, origin, now)
        granted = await finish_login(tx, account, origin, minted, keyring=keyring, now=now, method="signup")
        return granted or Denied(ProblemCode.ACCOUNT_DISABLED)

    try:
        return await store.write(grant)
    except AlreadyTaken:
        # A racer proved or claimed the phone in this moment, or drew the same name.
        newcomer = draw_newcomer(world, identifier, now, newcomer.password_hash)
        return await store.write(grant)
