"""Register an account with unverified identifiers (CareyShop)."""

from __future__ import annotations

from menshen.core.account.accounts import Account, NewAccount
from menshen.core.account.asks import Edited, Registration
from menshen.core.account.profiles import entered_profile, judge_profile, texts_of
from menshen.core.audit.events import Tag
from menshen.core.gates.captcha import Action
from menshen.core.gates.limits import Quota
from menshen.core.identifiers import shown_username
from menshen.core.keys import Keyring
from menshen.core.login.passwords import Blocklist
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.tokens import TOKEN_BYTES, base32
from menshen.flows.account.lookups import charge_oracle
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.captcha import CAPTCHA_REFUSALS, burn_where_always
from menshen.flows.gates.network_quotas import charge_networks
from menshen.flows.gates.password_policy import WEAK_PASSWORD, judge_new_password, own_words
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.accounts import AlreadyTaken
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.CHANGE,
    WEAK_PASSWORD
    | CAPTCHA_REFUSALS
    | {
        ProblemCode.FORBIDDEN,
        ProblemCode.INVALID_REQUEST,
        ProblemCode.TOO_MANY_REQUESTS,
        ProblemCode.ALREADY_TAKEN,
        ProblemCode.OVERLOADED,
    },
    deny_list=True,
    device_rule=True,
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
    """Create an account whose phone and email are unverified. They cannot be used to log in.

    Denied: FORBIDDEN (the app allows no registration without proof), INVALID_REQUEST (username, or a text of the
    profile), WEAK_PASSWORD, TOO_MANY_REQUESTS, ALREADY_TAKEN with `field` username, phone or nickname. If the app
    always asks for a captcha also CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_EXPIRED.
    (docs/contracts/core.md sections 1.2 and 5.7, docs/contracts/careyshop.md section 5.5.)
    """
    if not origin.app.registers_without_proof:
        return Denied(ProblemCode.FORBIDDEN)
    now = world.now()
    chosen = shown_username(ask.username)
    if chosen is None:
        return Denied(ProblemCode.INVALID_REQUEST, field="username")
    username, profile = chosen.lower(), entered_profile(ask.profile)
    if refusal := judge_profile(texts_of(profile)):
        return refusal
    words = own_words(username, ask.phone, ask.email)
    raw = judge_new_password(ask.password, origin.app, policy, blocklist, words, minimum=origin.password_min)
    if isinstance(raw, Denied):
        return raw

    async def admit(tx: WriteTx) -> Denied | None:
        if refusal := await burn_where_always(tx, ask.captcha, Action.SIGNUP, origin, keyring, now):
            return refusal
        most = policy.limits.register_per_network
        if wait := await charge_networks(tx, Quota.REGISTER_NETWORK_HOUR, most, origin, keyring=keyring, now=now):
            return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
        # A conflict tells what is taken, so it counts as an exist call. But many exist calls do not stop registrations:
        # these have the smaller quota.
        await charge_oracle(tx, origin, keyring, policy, now)
        return None

    if refusal := await store.write(admit):
        return refusal
    new = NewAccount(
        public_id=base32(world.token_bytes(TOKEN_BYTES)),
        username=username,
        username_shown=chosen,
        phone=ask.phone,
        email=ask.email,
        password_hash=await hasher.hash(raw),
        created_at=now,
        profile=profile,
    )

    async def work(tx: WriteTx) -> Account:
        # Another account may have verified the same email, and keeps it.
        # The unverified email of the new account is stored, too, but cannot be used to log in.
        account = await tx.accounts.add(new)
        nickname = profile.nickname
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
