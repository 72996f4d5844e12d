"""Issue and spend captchas: behaviour tests, the passes for solved ones, and images.

A challenge is stored only when it is solved. A captcha is spent before anything is granted for it.
"""

from __future__ import annotations

import asyncio
from typing import Final

from menshen.core.apps import CaptchaRule
from menshen.core.codes.one_time_codes import Taken
from menshen.core.gates.captcha import (
    CHALLENGE_LIFETIME,
    IMAGE_ALPHABET,
    IMAGE_LENGTH,
    IMAGE_LIFETIME,
    PASS_LIFETIME,
    Action,
    CaptchaImage,
    CaptchaPass,
    CaptchaTicket,
    ImagePresented,
    PassPresented,
    Presented,
    ProofOfWork,
    Solved,
    SolvedChallenge,
)
from menshen.core.gates.captcha_vendors import Asked, Fallback, pass_under, stands_instead
from menshen.core.gates.limits import Hit, Limits, Quota, Tally
from menshen.core.keys import Keyring, Use
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.text.typed import typed_answer
from menshen.core.time import Instant, after
from menshen.core.tokens import TOKEN_BYTES, base32, digest
from menshen.flows.gates.captcha_vendors import CaptchaVendors, challenge_instead, falls_back, judge_token
from menshen.flows.gates.network_quotas import charge_networks, codes_of_network
from menshen.flows.gates.risk_signals import network_difficulty
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.captcha import CaptchaProvider, ImageArtist
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

ASKS_FOR_CAPTCHA: Final = frozenset({ProblemCode.CAPTCHA_REQUIRED, ProblemCode.CAPTCHA_INVALID})
"""Refusals after which a client can solve a behaviour test and try again."""

CAPTCHA_REFUSALS: Final = ASKS_FOR_CAPTCHA | {ProblemCode.CAPTCHA_EXPIRED}
"""Refusals of `burn`."""


@use_case(FlowKind.LOOKUP, {ProblemCode.NOT_FOUND})
async def new_challenge(
    origin: Origin,
    *,
    captcha: CaptchaProvider,
    captcha_vendors: CaptchaVendors,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> ProofOfWork | Denied:
    """Make a behaviour test for the app and network. The network's risk sets its difficulty. Nothing is stored.

    Denied: NOT_FOUND at an app with a captcha vendor, whose test its page shows, unless the vendor is away and the
    built-in test is to stand in its place.
    """
    now, vendor = world.now(), origin.app.captcha_vendor
    if vendor and not falls_back(captcha_vendors, origin.app):
        return Denied(ProblemCode.NOT_FOUND)
    difficulty = await _deserved(origin, store=store, keyring=keyring, policy=policy, now=now)
    if vendor:
        return challenge_instead(origin, difficulty, captcha=captcha, now=now)
    return captcha.challenge(app_id=origin.app.app_id, network=origin.network, difficulty=difficulty, now=now)


async def _deserved(origin: Origin, *, store: Store, keyring: Keyring, policy: Policy, now: Instant) -> int:
    counters = store.read.counters
    codes = await codes_of_network(counters, origin, keyring=keyring, now=now)
    return await network_difficulty(counters, origin, codes=codes, keyring=keyring, policy=policy, now=now)


@use_case(
    FlowKind.CHANGE,
    {ProblemCode.CAPTCHA_REQUIRED, ProblemCode.CAPTCHA_INVALID, ProblemCode.TOO_MANY_REQUESTS},
    deny_list=True,
)
async def solve_challenge(
    ask: SolvedChallenge,
    origin: Origin,
    *,
    captcha: CaptchaProvider,
    captcha_vendors: CaptchaVendors,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> CaptchaPass | Denied:
    """Issue the pass for a solved test, once for each test: the built-in one, or that of the app's vendor.

    Denied: CAPTCHA_INVALID, TOO_MANY_REQUESTS. Where the vendor gives no verdict: CAPTCHA_REQUIRED with a built-in
    test, or UNAVAILABLE, as the settings say.
    """
    if origin.app.captcha_vendor and not captcha.recognizes(ask.payload):
        judged = await judge_token(
            ask.payload,
            origin,
            captcha_vendors=captcha_vendors,
            store=store,
            world=world,
            keyring=keyring,
            policy=policy,
        )
        if judged is Asked.PASSED:
            return await _pass_of_vendor(origin, store=store, world=world)
        if judged is Asked.FAILED:
            return Denied(ProblemCode.CAPTCHA_INVALID)
        if isinstance(judged, Denied):
            return judged
        if captcha_vendors.terms_of(origin.app).fallback is Fallback.REFUSE:
            return Denied(ProblemCode.UNAVAILABLE)
        now = world.now()
        deserved = await _deserved(origin, store=store, keyring=keyring, policy=policy, now=now)
        made = challenge_instead(origin, deserved, captcha=captcha, now=now)
        return Denied(ProblemCode.CAPTCHA_REQUIRED, challenge=made.as_json())
    now = world.now()
    # A wrong solution costs as many iterations as a correct one. Token checks must not wait for them.
    solved = await asyncio.to_thread(captcha.check, ask.payload, now)
    if solved is None or solved.app_id != origin.app.app_id or solved.network != origin.network:
        return Denied(ProblemCode.CAPTCHA_INVALID)
    token = base32(world.token_bytes(TOKEN_BYTES))

    async def work(tx: WriteTx) -> Denied | None:
        issued_at = after(solved.expires_at, -CHALLENGE_LIFETIME)
        if not await tx.captchas.spend_challenge(solved.nonce, issued_at, solved.expires_at):
            return Denied(ProblemCode.CAPTCHA_INVALID)
        most = policy.limits.solve_per_network
        if wait := await charge_networks(tx, Quota.SOLVE_NETWORK_HOUR, most, origin, keyring=keyring, now=now):
            return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
        lower = pass_under(solved.basis)
        if origin.app.captcha_vendor and not await _is_asked_for(tx, solved, lower, origin, now):
            return Denied(ProblemCode.CAPTCHA_INVALID)
        network, until = origin.network, after(now, PASS_LIFETIME)
        await tx.captchas.add_pass(digest(token), origin.app.app_id, network, until, difficulty=solved.difficulty)
        if origin.app.captcha_vendor and lower is not None:
            # No chain of harder passes goes on from one token of the vendor.
            await tx.captchas.spend_pass(digest(token), Action.HARDER, origin.app.app_id, network, now)
        return None

    return await store.write(work) or CaptchaPass(token)


async def _is_asked_for(tx: WriteTx, solved: Solved, lower: bytes | None, origin: Origin, now: Instant) -> bool:
    """Tell whether this server asked for a built-in test at an app with a vendor: instead of it, or on top of a pass.

    The pass below is spent on this, once.
    """
    if lower is None:
        return stands_instead(solved.basis, origin.app.captcha_vendor)
    return await tx.captchas.spend_pass(lower, Action.HARDER, origin.app.app_id, origin.network, now)


async def _pass_of_vendor(origin: Origin, *, store: Store, world: World) -> CaptchaPass:
    """Issue the pass for a token that the vendor accepted. It counts as the easiest test."""
    token, until = base32(world.token_bytes(TOKEN_BYTES)), after(world.now(), PASS_LIFETIME)

    async def work(tx: WriteTx) -> None:
        await tx.captchas.add_pass(digest(token), origin.app.app_id, origin.network, until)

    await store.write(work)
    return CaptchaPass(token)


async def note_captcha_asked(tx: WriteTx, origin: Origin, keyring: Keyring, limits: Limits, now: Instant) -> None:
    """Note that a call to this app from this network needed a captcha. Clients that ask first then get an image."""
    await tx.counters.hit([Hit(_asked_key(keyring, origin), limits.network_window, 1)], now)


def _asked_key(keyring: Keyring, origin: Origin) -> bytes:
    return keyring.counter_key(Tally.CAPTCHA_ASKED, str(origin.app.app_id), origin.network)


async def burn(
    tx: WriteTx,
    presented: Presented | None,
    action: Action,
    origin: Origin,
    keyring: Keyring,
    now: Instant,
    *,
    difficulty: int = 1,
) -> Denied | None:
    """Spend the captcha on `action`, in the caller's transaction. Return a refusal if it is missing or invalid.

    A pass of an easier test than `difficulty` is invalid, but is not spent.
    """
    match presented:
        case None:
            return Denied(ProblemCode.CAPTCHA_REQUIRED)
        case PassPresented(token):
            good = await tx.captchas.spend_pass(
                digest(token), action, origin.app.app_id, origin.network, now, difficulty=difficulty
            )
            return None if good else Denied(ProblemCode.CAPTCHA_INVALID)
        case ImagePresented() as image:
            return await _burn_image(tx, image, origin, keyring, now)


async def _burn_image(
    tx: WriteTx, presented: ImagePresented, origin: Origin, keyring: Keyring, now: Instant
) -> Denied | None:
    macs = keyring.macs(Use.CAPTCHA, presented.session_id, typed_answer(presented.answer))
    match await tx.captchas.answer(digest(presented.session_id), origin.app.app_id, macs, now):
        case Taken.MATCHED:
            return None
        case Taken.WRONG:
            return Denied(ProblemCode.CAPTCHA_INVALID)
        case Taken.DEAD:
            return Denied(ProblemCode.CAPTCHA_EXPIRED)


async def burn_where_always(
    tx: WriteTx, presented: Presented | None, action: Action, origin: Origin, keyring: Keyring, now: Instant
) -> Denied | None:
    """Spend what was presented as `burn` does, where the app always asks for a captcha; else do nothing."""
    if origin.app.captcha is not CaptchaRule.ALWAYS:
        return None
    return await burn(tx, presented, action, origin, keyring, now)


@use_case(FlowKind.CHANGE, CAPTCHA_REFUSALS, deny_list=True)
async def spend_captcha(
    presented: Presented | None, action: Action, origin: Origin, *, keyring: Keyring, store: Store, world: World
) -> ActionOutcome:
    """Run `burn` in its own transaction."""
    now = world.now()

    async def work(tx: WriteTx) -> Denied | None:
        return await burn(tx, presented, action, origin, keyring, now)

    return await store.write(work) or Done()


@use_case(FlowKind.CHANGE, {ProblemCode.TOO_MANY_REQUESTS}, deny_list=True)
async def image_captcha(
    origin: Origin, *, keyring: Keyring, policy: Policy, store: Store, world: World
) -> CaptchaTicket | Denied:
    """Check whether a login or a code from here needs an image captcha. Return the id to draw it under, or ""."""
    now, limits = world.now(), policy.limits
    failures = keyring.counter_key(Tally.PASSWORD_NETWORK, origin.network)
    before = _asked_key(keyring, origin)
    session_id = world.token_bytes(TOKEN_BYTES).hex()

    async def work(tx: WriteTx) -> CaptchaTicket | Denied:
        rule = origin.app.captcha
        asked = (
            rule is CaptchaRule.ALWAYS
            # Codes may need one under every rule: from a crowded network, and to a pumped prefix.
            or await tx.counters.peek(before, now) > 0
            or (rule is CaptchaRule.RISK and await tx.counters.peek(failures, now) + 1 >= limits.captcha_from)
        )
        if not asked:
            return CaptchaTicket("")
        most = limits.captcha_per_network
        if wait := await charge_networks(tx, Quota.CAPTCHA_NETWORK_HOUR, most, origin, keyring=keyring, now=now):
            return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
        await tx.captchas.open_image(digest(session_id), origin.app.app_id, after(now, IMAGE_LIFETIME))
        return CaptchaTicket(session_id)

    return await store.write(work)


@use_case(FlowKind.CHANGE, {ProblemCode.NOT_FOUND, ProblemCode.TOO_MANY_REQUESTS}, deny_list=True)
async def begin_image(
    origin: Origin, *, keyring: Keyring, policy: Policy, store: Store, world: World
) -> CaptchaTicket | Denied:
    """Open an image captcha for a person whose browser cannot solve the behaviour test. Return the id to draw it under.

    Denied: NOT_FOUND at an app with a captcha vendor, TOO_MANY_REQUESTS. (docs/contracts/pages.md section 2.)
    """
    if origin.app.captcha_vendor:
        return Denied(ProblemCode.NOT_FOUND)
    now, session_id = world.now(), world.token_bytes(TOKEN_BYTES).hex()

    async def work(tx: WriteTx) -> CaptchaTicket | Denied:
        most = policy.limits.captcha_per_network
        if wait := await charge_networks(tx, Quota.CAPTCHA_NETWORK_HOUR, most, origin, keyring=keyring, now=now):
            return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
        await tx.captchas.open_image(digest(session_id), origin.app.app_id, after(now, IMAGE_LIFETIME))
        return CaptchaTicket(session_id)

    return await store.write(work)


@use_case(
    FlowKind.CHANGE,
    {
        ProblemCode.NOT_FOUND,
        ProblemCode.CAPTCHA_INVALID,
        ProblemCode.CAPTCHA_EXPIRED,
        ProblemCode.TOO_MANY_REQUESTS,
    },
    deny_list=True,
)
async def solve_image(
    presented: ImagePresented, origin: Origin, *, keyring: Keyring, policy: Policy, store: Store, world: World
) -> CaptchaPass | Denied:
    """Burn an image captcha, and issue a pass for a right answer: that of the easiest test.

    An image allows one try. The answer counts as a behaviour test that is handed in, before it is judged.
    Denied: NOT_FOUND at an app with a captcha vendor, CAPTCHA_INVALID, CAPTCHA_EXPIRED, TOO_MANY_REQUESTS.
    """
    if origin.app.captcha_vendor:
        return Denied(ProblemCode.NOT_FOUND)
    now, token = world.now(), base32(world.token_bytes(TOKEN_BYTES))

    async def work(tx: WriteTx) -> Denied | None:
        most = policy.limits.solve_per_network
        if wait := await charge_networks(tx, Quota.SOLVE_NETWORK_HOUR, most, origin, keyring=keyring, now=now):
            return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
        if refusal := await _burn_image(tx, presented, origin, keyring, now):
            return refusal
        until = after(now, PASS_LIFETIME)
        await tx.captchas.add_pass(digest(token), origin.app.app_id, origin.network, until)
        return None

    return await store.write(work) or CaptchaPass(token)


@use_case(FlowKind.CHANGE, {ProblemCode.CAPTCHA_EXPIRED, ProblemCode.TOO_MANY_REQUESTS}, deny_list=True)
async def draw_captcha(
    session_id: str,
    origin: Origin,
    *,
    artist: ImageArtist,
    keyring: Keyring,
    policy: Policy,
    store: Store,
    world: World,
) -> CaptchaImage | Denied:
    """Draw a new image under an open session id. Its answer replaces the one of the image before.

    Denied: CAPTCHA_EXPIRED, TOO_MANY_REQUESTS (drawing an image costs more than asking for an id).
    """
    now = world.now()
    text = "".join(IMAGE_ALPHABET[byte % len(IMAGE_ALPHABET)] for byte in world.token_bytes(IMAGE_LENGTH))
    mac = keyring.mac(Use.CAPTCHA, session_id, text)

    async def work(tx: WriteTx) -> Denied | None:
        if not await tx.captchas.set_answer(digest(session_id), mac, now, after(now, IMAGE_LIFETIME)):
            return Denied(ProblemCode.CAPTCHA_EXPIRED)
        most = policy.limits.captcha_per_network
        wait = await charge_networks(tx, Quota.CAPTCHA_NETWORK_HOUR, most, origin, keyring=keyring, now=now)
        return Denied(ProblemCode.TOO_MANY_REQUESTS, wait) if wait else None

    if refusal := await store.write(work):
        return refusal
    # Drawing takes milliseconds. Token checks must not wait for it.
    return CaptchaImage(await asyncio.to_thread(artist.draw, text))
