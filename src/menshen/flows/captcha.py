"""Captchas: behaviour tests, the passes they earn, and images.

A challenge costs no state until it is solved; what is presented is burnt before anything is granted for it.
"""

from __future__ import annotations

from menshen.core.apps import CaptchaRule
from menshen.core.captcha import (
    IMAGE_ALPHABET,
    IMAGE_LENGTH,
    IMAGE_LIFETIME,
    PASS_LIFETIME,
    Action,
    ImagePresented,
    PassPresented,
    Presented,
    ProofOfWork,
    read_image_answer,
)
from menshen.core.keys import Keyring, Use
from menshen.core.limits import Claim, Quota, Tally
from menshen.core.login import (
    ActionOutcome,
    CaptchaImage,
    CaptchaPass,
    CaptchaTicket,
    Done,
    Origin,
    SolvedChallenge,
)
from menshen.core.one_time_codes import Taken
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.time import HOUR, Instant, after
from menshen.core.tokens import TOKEN_BYTES, base32, digest
from menshen.ports.captcha import CaptchaProvider, ImageArtist
from menshen.ports.store import Store, WriteTx
from menshen.ports.world import World


async def new_challenge(origin: Origin, *, captcha: CaptchaProvider, world: World) -> ProofOfWork:
    """A behaviour test bound to the app and network, ready to solve. Stores nothing."""
    return captcha.challenge(app_id=origin.app.app_id, network=origin.network, difficulty=1, now=world.now())


async def solve_challenge(
    ask: SolvedChallenge, origin: Origin, *, captcha: CaptchaProvider, store: Store, world: World
) -> CaptchaPass | Denied:
    """A pass for a solved test; each test earns one, once."""
    now = world.now()
    solved = captcha.check(ask.payload, now)
    if solved is None or solved.app_id != origin.app.app_id or solved.network != origin.network:
        return Denied(ProblemCode.CAPTCHA_INVALID)
    token = base32(world.token_bytes(TOKEN_BYTES))

    async def work(tx: WriteTx) -> bool:
        if not await tx.captchas.spend_nonce(solved.nonce, solved.expires_at):
            return False
        await tx.captchas.add_pass(digest(token), origin.app.app_id, origin.network, after(now, PASS_LIFETIME))
        return True

    return CaptchaPass(token) if await store.write(work) else Denied(ProblemCode.CAPTCHA_INVALID)


async def burn(
    tx: WriteTx, presented: Presented | None, action: Action, origin: Origin, keyring: Keyring, now: Instant
) -> Denied | None:
    """Spend what was presented on `action`, in the caller's transaction; the refusal when it is no good."""
    match presented:
        case None:
            return Denied(ProblemCode.CAPTCHA_REQUIRED)
        case PassPresented(token):
            good = await tx.captchas.spend_pass(digest(token), action, origin.app.app_id, origin.network, now)
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


async def spend_captcha(
    presented: Presented | None, action: Action, origin: Origin, *, keyring: Keyring, store: Store, world: World
) -> ActionOutcome:
    """`burn` in a transaction of its own."""
    now = world.now()

    async def work(tx: WriteTx) -> Denied | None:
        return await burn(tx, presented, action, origin, keyring, now)

    return await store.write(work) or Done()


async def image_captcha(
    origin: Origin, *, keyring: Keyring, policy: Policy, store: Store, world: World
) -> CaptchaTicket | Denied:
    """Whether a login from here must solve an image, and the id to draw it under ("" when not)."""
    now, limits = world.now(), policy.limits
    failures = keyring.counter_key(Tally.PASSWORD_NETWORK, origin.network)
    quota = keyring.counter_key(Quota.CAPTCHA_NETWORK_HOUR, origin.network)
    session_id = world.token_bytes(TOKEN_BYTES).hex()

    async def work(tx: WriteTx) -> CaptchaTicket | Denied:
        asked = origin.app.captcha is CaptchaRule.ALWAYS or (
            origin.app.captcha is CaptchaRule.RISK and await tx.counters.peek(failures, now) + 1 >= limits.captcha_from
        )
        if not asked:
            return CaptchaTicket("")
        if wait := await tx.counters.charge([Claim(quota, limits.captcha_per_network, HOUR)], now):
            return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
        await tx.captchas.open_image(digest(session_id), origin.app.app_id, after(now, IMAGE_LIFETIME))
        return CaptchaTicket(session_id)

    return await store.write(work)


async def draw_captcha(
    session_id: str, origin: Origin, *, artist: ImageArtist, keyring: Keyring, store: Store, world: World
) -> CaptchaImage | Denied:
    """A new image under an open session id; what was drawn under it before is forgotten."""
    now = world.now()
    text = "".join(IMAGE_ALPHABET[byte % len(IMAGE_ALPHABET)] for byte in world.token_bytes(IMAGE_LENGTH))
    mac = keyring.mac(Use.CAPTCHA, session_id, text)

    async def work(tx: WriteTx) -> bool:
        return await tx.captchas.set_answer(digest(session_id), mac, now, after(now, IMAGE_LIFETIME))

    if not await store.write(work):
        return Denied(ProblemCode.CAPTCHA_EXPIRED)
    return CaptchaImage(artist.draw(text))
