"""Captchas: behaviour tests, the passes they earn, and images.

A challenge costs no state until it is solved; what is presented is burnt before anything is granted for it.
"""

from __future__ import annotations

import asyncio
from typing import Final

from menshen.core.apps import CaptchaRule
from menshen.core.codes.one_time_codes import Taken
from menshen.core.gates.captcha import (
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
    SolvedChallenge,
    read_image_answer,
)
from menshen.core.gates.limits import Claim, Hit, Limits, Quota, Tally
from menshen.core.keys import Keyring, Use
from menshen.core.outcomes import ActionOutcome, Done
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import HOUR, Instant, after
from menshen.core.tokens import TOKEN_BYTES, base32, digest
from menshen.flows.gates.risk_signals import network_difficulty
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.captcha import CaptchaProvider, ImageArtist
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

ASKS_FOR_CAPTCHA: Final = frozenset({ProblemCode.CAPTCHA_REQUIRED, ProblemCode.CAPTCHA_INVALID})
"""Refusals that a solved behaviour test cures."""

CAPTCHA_REFUSALS: Final = ASKS_FOR_CAPTCHA | {ProblemCode.CAPTCHA_EXPIRED}
"""What `burn` refuses."""


@use_case(FlowKind.LOOKUP)
async def new_challenge(
    origin: Origin, *, captcha: CaptchaProvider, store: Store, world: World, keyring: Keyring, policy: Policy
) -> ProofOfWork:
    """A behaviour test bound to the app and network, as hard as the network deserves. Stores nothing."""
    now = world.now()
    difficulty = await network_difficulty(store.read.counters, origin, keyring=keyring, policy=policy, now=now)
    return captcha.challenge(app_id=origin.app.app_id, network=origin.network, difficulty=difficulty, now=now)


@use_case(FlowKind.CHANGE, {ProblemCode.CAPTCHA_INVALID, ProblemCode.TOO_MANY_REQUESTS}, deny_list=True)
async def solve_challenge(
    ask: SolvedChallenge,
    origin: Origin,
    *,
    captcha: CaptchaProvider,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> CaptchaPass | Denied:
    """A pass for a solved test; each test earns one, once. Denied: CAPTCHA_INVALID, TOO_MANY_REQUESTS."""
    now = world.now()
    # A wrong solution costs as many iterations as a right one: token checks must not wait for them.
    solved = await asyncio.to_thread(captcha.check, ask.payload, now)
    if solved is None or solved.app_id != origin.app.app_id or solved.network != origin.network:
        return Denied(ProblemCode.CAPTCHA_INVALID)
    token = base32(world.token_bytes(TOKEN_BYTES))
    quota = keyring.counter_key(Quota.SOLVE_NETWORK_HOUR, origin.network)

    async def work(tx: WriteTx) -> Denied | None:
        if not await tx.captchas.spend_nonce(solved.nonce, solved.expires_at):
            return Denied(ProblemCode.CAPTCHA_INVALID)
        if wait := await tx.counters.charge([Claim(quota, policy.limits.solve_per_network, HOUR)], now):
            return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
        until = after(now, PASS_LIFETIME)
        await tx.captchas.add_pass(
            digest(token), origin.app.app_id, origin.network, until, difficulty=solved.difficulty
        )
        return None

    return await store.write(work) or CaptchaPass(token)


async def note_captcha_asked(tx: WriteTx, origin: Origin, keyring: Keyring, limits: Limits, now: Instant) -> None:
    """Remember that a login from this network was asked for a captcha: clients that ask first get an image then."""
    await tx.counters.hit([Hit(_asked_key(keyring, origin), limits.network_window, 1)], now)


def _asked_key(keyring: Keyring, origin: Origin) -> bytes:
    return keyring.counter_key(Tally.CAPTCHA_ASKED, origin.network)


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
    """Spend what was presented on `action`, in the caller's transaction; the refusal when it is no good.

    A pass that was earned by an easier test than `difficulty` is no good, and not spent.
    """
    match presented:
        case None:
            return Denied(ProblemCode.CAPTCHA_REQUIRED)
        case PassPresented(token):
            good = await tx.captchas.spend_pass(
                digest(token), action, origin.app.app_id, origin.network, now, difficulty=difficulty
            )
            return None if good else Denied(ProblemCode.CAPTCHA_INVALID)
        case ImagePresented(session_id, answer):
            macs = keyring.macs(Use.CAPTCHA, session_id, read_image_answer(answer))
            match await tx.captchas.answer(digest(session_id), origin.app.app_id, macs, now):
                case Taken.MATCHED:
                    return None
                case Taken.WRONG:
                    return Denied(ProblemCode.CAPTCHA_INVALID)
                case Taken.DEAD:
                    return Denied(ProblemCode.CAPTCHA_EXPIRED)


@use_case(FlowKind.CHANGE, CAPTCHA_REFUSALS, deny_list=True)
async def spend_captcha(
    presented: Presented | None, action: Action, origin: Origin, *, keyring: Keyring, store: Store, world: World
) -> ActionOutcome:
    """`burn` in a transaction of its own."""
    now = world.now()

    async def work(tx: WriteTx) -> Denied | None:
        return await burn(tx, presented, action, origin, keyring, now)

    return await store.write(work) or Done()


@use_case(FlowKind.CHANGE, {ProblemCode.TOO_MANY_REQUESTS}, deny_list=True)
async def image_captcha(
    origin: Origin, *, keyring: Keyring, policy: Policy, store: Store, world: World
) -> CaptchaTicket | Denied:
    """Whether a login from here must solve an image, and the id to draw it under ("" when not)."""
    now, limits = world.now(), policy.limits
    failures = keyring.counter_key(Tally.PASSWORD_NETWORK, origin.network)
    before = _asked_key(keyring, origin)
    quota = keyring.counter_key(Quota.CAPTCHA_NETWORK_HOUR, origin.network)
    session_id = world.token_bytes(TOKEN_BYTES).hex()

    async def work(tx: WriteTx) -> CaptchaTicket | Denied:
        asked = origin.app.captcha is CaptchaRule.ALWAYS or (
            origin.app.captcha is CaptchaRule.RISK
            and (
                await tx.counters.peek(failures, now) + 1 >= limits.captcha_from
                or await tx.counters.peek(before, now) > 0
            )
        )
        if not asked:
            return CaptchaTicket("")
        if wait := await tx.counters.charge([Claim(quota, limits.captcha_per_network, HOUR)], now):
            return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
        await tx.captchas.open_image(digest(session_id), origin.app.app_id, after(now, IMAGE_LIFETIME))
        return CaptchaTicket(session_id)

    return await store.write(work)


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
    """A new image under an open session id; what was drawn under it before is forgotten.

    Denied: CAPTCHA_EXPIRED, TOO_MANY_REQUESTS (drawing costs more than asking).
    """
    now = world.now()
    text = "".join(IMAGE_ALPHABET[byte % len(IMAGE_ALPHABET)] for byte in world.token_bytes(IMAGE_LENGTH))
    mac = keyring.mac(Use.CAPTCHA, session_id, text)
    quota = keyring.counter_key(Quota.CAPTCHA_NETWORK_HOUR, origin.network)

    async def work(tx: WriteTx) -> Denied | None:
        if not await tx.captchas.set_answer(digest(session_id), mac, now, after(now, IMAGE_LIFETIME)):
            return Denied(ProblemCode.CAPTCHA_EXPIRED)
        wait = await tx.counters.charge([Claim(quota, policy.limits.captcha_per_network, HOUR)], now)
        return Denied(ProblemCode.TOO_MANY_REQUESTS, wait) if wait else None

    if refusal := await store.write(work):
        return refusal
    # Pixels take milliseconds: token checks must not wait for them.
    return CaptchaImage(await asyncio.to_thread(artist.draw, text))
