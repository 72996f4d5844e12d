"""Sign up with a code to a phone (weidu and the hosted pages) or an email (the pages alone), and log in."""

from __future__ import annotations

from dataclasses import replace

from menshen.core.account.accounts import NewAccount
from menshen.core.account.profiles import entered_profile, judge_profile, texts_of
from menshen.core.codes.one_time_codes import Purpose
from menshen.core.factors.proofs import BY_MAIL, BY_SMS
from menshen.core.gates.captcha import Action
from menshen.core.identifiers import Identifier, Kind, identifier_of
from menshen.core.keys import Keyring
from menshen.core.login.asks import CodeSignup
from menshen.core.login.outcomes import LoginOutcome
from menshen.core.login.passwords import Blocklist
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.flows.codes.attempts import CODE_REFUSALS, code_key, dead_proof_event, redeem_code
from menshen.flows.gates.captcha import CAPTCHA_REFUSALS
from menshen.flows.gates.device_signs import SIGN_REFUSALS
from menshen.flows.gates.password_policy import WEAK_PASSWORD, judge_new_password, own_words
from menshen.flows.login.code import draw_newcomer, grant_again, settle_newcomer
from menshen.flows.login.finish import finish_login, mint
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.hashing import PasswordHasher
from menshen.ports.store.accounts import AlreadyTaken
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(
    FlowKind.LOGIN,
    WEAK_PASSWORD
    | CAPTCHA_REFUSALS
    | SIGN_REFUSALS
    | CODE_REFUSALS
    | {
        ProblemCode.FORBIDDEN,
        ProblemCode.INVALID_REQUEST,
        ProblemCode.ALREADY_TAKEN,
        ProblemCode.ACCOUNT_DISABLED,
        ProblemCode.OVERLOADED,
    },
    method="sign_up",
    deny_list=True,
    device_rule=True,
)
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
    """Create an account with a code to its phone or email, and log in.

    Denied: FORBIDDEN (the app allows no registration, or none by email), INVALID_REQUEST (a text of the profile) and
    WEAK_PASSWORD (nothing is spent then), CAPTCHA_REQUIRED, CAPTCHA_INVALID, TOO_MANY_REQUESTS, WRONG_CODE; only after
    a correct code also ALREADY_TAKEN, with `field` phone or email.
    (docs/contracts/weidu.md section 5.2, docs/contracts/pages.md section 3.)
    """
    identifier = identifier_of(ask.subject)
    if not origin.app.signs_up_with(identifier.kind):
        return Denied(ProblemCode.FORBIDDEN)
    now, profile = world.now(), entered_profile(ask.profile)
    if refusal := judge_profile(texts_of(profile)):
        return refusal
    raw = _judge(ask, identifier, origin, policy, blocklist)
    if isinstance(raw, Denied):
        return raw
    key = code_key(origin, Purpose.SIGNUP, ask.subject)
    proof = None if policy.test_number(ask.subject, now) else key

    async def burn(tx: WriteTx) -> Denied | None:
        return await redeem_code(
            tx, key, ask.code, ask.captcha, Action.SIGNUP, origin, keyring=keyring, policy=policy, now=now
        )

    if refusal := await store.write(burn):
        return refusal
    password_hash = await hasher.hash(raw) if raw is not None else ""

    def draw() -> NewAccount:
        return replace(draw_newcomer(world, identifier, now, password_hash), profile=profile)

    newcomer = draw()
    minted = mint(world, origin.rules)

    async def grant(tx: WriteTx) -> LoginOutcome:
        if proof and not await tx.codes.stands(proof):
            await tx.audit.append(dead_proof_event(key, origin, now))
            return Denied(ProblemCode.WRONG_CODE)
        if await tx.accounts.find_owner(identifier) is not None:
            return Denied(ProblemCode.ALREADY_TAKEN, field=identifier.kind.value)
        account = await settle_newcomer(tx, newcomer, identifier, origin, now)
        outcome = await finish_login(
            tx,
            account,
            origin,
            minted,
            keyring=keyring,
            policy=policy,
            now=now,
            method="signup",
            proof=BY_SMS if identifier.kind is Kind.PHONE else BY_MAIL,
        )
        return outcome or Denied(ProblemCode.ACCOUNT_DISABLED)

    try:
        return await store.write(grant)
    except AlreadyTaken:
        # A concurrent request took the phone or email, or drew the same username.
        newcomer = draw()
        return await grant_again(store, grant)


def _judge(
    ask: CodeSignup, identifier: Identifier, origin: Origin, policy: Policy, blocklist: Blocklist
) -> bytes | Denied | None:
    """Return the bytes of the password to hash, None if the account gets none."""
    if ask.password is None:
        return None
    given = {identifier.kind.value: ask.subject}
    words = own_words(phone=given.get("phone"), email=given.get("email"))
    return judge_new_password(ask.password, origin.app, policy, blocklist, words, minimum=origin.password_min)
