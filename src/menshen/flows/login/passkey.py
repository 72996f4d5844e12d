"""Log in with a passkey, without a name. (docs/contracts/factors.md section 6.)

The options name no passkey, and no row is written for those who ask for them. The answer finds its account by the
credential's id, and must name the user handle of its owner, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from menshen.core.apps import CaptchaRule
from menshen.core.audit.events import Tag
from menshen.core.factors.asks import PasskeyLogin
from menshen.core.factors.challenges import RANDOM_BYTES
from menshen.core.factors.passkeys import Asserted, Ceremony, Passkey, PublicKeyOptions
from menshen.core.gates.captcha import Action
from menshen.core.gates.limits import Hit, Tally, fullest
from menshen.core.keys import Keyring
from menshen.core.login.outcomes import LoginOutcome
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.flows.audit.recording import append_refusal, event_of
from menshen.flows.gates.captcha import CAPTCHA_REFUSALS, burn, note_captcha_asked
from menshen.flows.gates.device_signs import SIGN_REFUSALS, spend_sign
from menshen.flows.login.finish import finish_login, mint
from menshen.flows.proofs.assertions import burn_assertion, note_assertion, request_options, verify_assertion
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.passkeys import PasskeyJudge
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World


@use_case(FlowKind.LOOKUP)
async def passkey_options(
    origin: Origin, *, world: World, keyring: Keyring, policy: Policy
) -> PublicKeyOptions | Denied:
    """Return the request options of a discoverable login. No row is written."""
    return request_options(
        Ceremony.LOGIN,
        "",
        origin,
        allowed=None,
        keyring=keyring,
        policy=policy,
        chance=world.token_bytes(RANDOM_BYTES),
        now=world.now(),
    )


@use_case(
    FlowKind.LOGIN,
    CAPTCHA_REFUSALS
    | SIGN_REFUSALS
    | {
        ProblemCode.WRONG_PASSKEY,
        ProblemCode.PASSKEY_UNKNOWN,
        ProblemCode.CHALLENGE_EXPIRED,
        ProblemCode.TOO_MANY_REQUESTS,
    },
    method="passkey",
    deny_list=True,
    device_rule=True,
)
async def login_passkey(
    ask: PasskeyLogin,
    origin: Origin,
    *,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
    passkey_judge: PasskeyJudge,
) -> LoginOutcome:
    """Judge the answer of a passkey, and open a session of level 2.

    Denied: WRONG_PASSKEY (also for a key that is for steps only, and for an account that may not log in: a page must
    not remove the passkey of an account that an operator disabled for a while), PASSKEY_UNKNOWN (no account has this
    credential), CHALLENGE_EXPIRED, DEVICE_SIGN_INVALID, CAPTCHA_REQUIRED, CAPTCHA_INVALID or CAPTCHA_EXPIRED after many
    wrong ones of a network.
    """
    now = world.now()
    counted = _network_keys(keyring, origin)

    async def spend(tx: WriteTx) -> Passkey | Denied:
        refusal = await _count(tx, ask, origin, counted, keyring=keyring, policy=policy, now=now)
        if refusal:
            await tx.counters.forgive(counted)
            return await _refused(tx, refusal, None, origin, keyring=keyring, policy=policy, now=now)
        burned = await burn_assertion(
            tx,
            ask.credential,
            Ceremony.LOGIN,
            "",
            origin,
            account_number=None,
            keyring=keyring,
            policy=policy,
            passkey_judge=passkey_judge,
            now=now,
        )
        if isinstance(burned, Denied):
            if burned.code is ProblemCode.CHALLENGE_EXPIRED:
                # A page that lay open for long is no guess.
                await tx.counters.forgive(counted)
            return await _refused(tx, burned, None, origin, keyring=keyring, policy=policy, now=now)
        return burned

    # The challenge is spent before anything is granted for it. It stays spent if all else fails (decision 0003).
    passkey = await store.write(spend)
    if isinstance(passkey, Denied):
        return passkey
    await passkey_judge.get_ready()
    asserted = verify_assertion(
        ask.credential, passkey, origin, policy=policy, passkey_judge=passkey_judge, verified_user=True
    )
    minted = mint(world, origin.rules)

    async def grant(tx: WriteTx) -> LoginOutcome:
        outcome = await _grant(tx, asserted) if asserted else None
        if outcome is None:
            denied = Denied(ProblemCode.WRONG_PASSKEY)
            return await _refused(tx, denied, passkey, origin, keyring=keyring, policy=policy, now=now)
        return outcome

    async def _grant(tx: WriteTx, asserted: Asserted) -> LoginOutcome | None:
        account = await tx.accounts.hold(passkey.account_number)
        if account is None or not account.active:
            return None
        proof = await note_assertion(tx, passkey, asserted, origin, keyring=keyring, policy=policy, now=now)
        if isinstance(proof, Denied):
            return None
        return await finish_login(
            tx,
            account,
            origin,
            minted,
            keyring=keyring,
            policy=policy,
            now=now,
            method="passkey",
            proof=proof,
            platform=ask.platform,
            counted=counted,
            refund_counters=counted,
        )

    return await store.write(grant)


def _network_keys(keyring: Keyring, origin: Origin) -> Sequence[bytes]:
    return [keyring.counter_key(Tally.PASSKEY_NETWORK, scale.network) for scale in origin.networks]


async def _count(
    tx: WriteTx,
    ask: PasskeyLogin,
    origin: Origin,
    counted: Sequence[bytes],
    *,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
) -> Denied | None:
    """Count a try of the network before it is judged. After many wrong ones it needs a captcha, and then its sign."""
    limits = policy.limits
    hits = [
        Hit(key, limits.step_window, limits.passkey_tries_per_network * scale.factor + 1)
        for key, scale in zip(counted, origin.networks, strict=True)
    ]
    tries = fullest(await tx.counters.hit(hits, now), origin.networks).tries
    if tries > limits.passkey_tries_per_network and origin.app.captcha is not CaptchaRule.NEVER:
        refusal = await burn(tx, ask.captcha, Action.LOGIN_PASSKEY, origin, keyring, now)
        if refusal:
            return refusal
    return await spend_sign(tx, origin)


async def _refused(
    tx: WriteTx,
    refusal: Denied,
    passkey: Passkey | None,
    origin: Origin,
    *,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
) -> Denied:
    """Append the event of a refusal. A flood of them does not fill the table."""
    if refusal.code in CAPTCHA_REFUSALS:
        await note_captcha_asked(tx, origin, keyring, policy.limits, now)
    number = passkey.account_number if passkey else None
    event = event_of(Tag.LOGIN_REFUSED, origin, now, account=number, reason=refusal.code.value)
    await append_refusal(tx, event, origin, keyring)
    return refusal
