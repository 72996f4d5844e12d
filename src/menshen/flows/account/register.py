"""Register without proof (CareyShop)."""

from __future__ import annotations

from menshen.core.account.accounts import Account, NewAccount
from menshen.core.account.asks import Edited, Registration
from menshen.core.audit.events import Tag
from menshen.core.gates.limits import Claim, Quota
from menshen.core.identifiers import parse_username
from menshen.core.keys import Keyring
from menshen.core.login.passwords import Blocklist
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import HOUR
from menshen.core.tokens import TOKEN_BYTES, base32
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.password_policy import WEAK_PASSWORD, judge_new_password, own_words
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.accounts import AlreadyTaken
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.CHANGE,
    WEAK_PASSWORD
    | {
        ProblemCode.INVALID_REQUEST,
        ProblemCode.TOO_MANY_REQUESTS,
        ProblemCode.ALREADY_TAKEN,
        ProblemCode.OVERLOADED,
    },
    deny_list=True,
)
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
