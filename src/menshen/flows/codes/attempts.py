"""Trying a one-time code: counted by number over all codes, purposes and apps, then burnt, then judged.

Everything here happens in one transaction that is committed whatever the code was: a later failure costs
the user a new code, which is the safe side.
"""

from __future__ import annotations

import hmac
from typing import Final

from menshen.core.audit.events import Tag
from menshen.core.codes.one_time_codes import CodeKey, Purpose, Taken, judge_code
from menshen.core.codes.sms_traffic import country_of, day_of, prefix_of
from menshen.core.gates.captcha import Action, PassPresented, Presented
from menshen.core.gates.limits import Claim, Hit, Quota, Tally
from menshen.core.identifiers import Kind, identifier_of
from menshen.core.keys import Keyring, Use
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import HOUR, Instant
from menshen.core.tokens import digest
from menshen.flows.audit.recording import append_refusal, event_of
from menshen.flows.gates.captcha import burn
from menshen.ports.store.store import WriteTx

CODE_REFUSALS: Final = frozenset({ProblemCode.TOO_MANY_REQUESTS, ProblemCode.WRONG_CODE})
"""What `try_code` refuses without `mark_verified`."""


def code_macs(keyring: Keyring, key: CodeKey, code: str) -> tuple[bytes, ...]:
    """The keyed digests of a code for one app, purpose and subject, under every live key."""
    return keyring.macs(Use.CODE, str(key.app_id), key.purpose.value, key.subject, code)


async def burn_code_captcha(
    tx: WriteTx,
    presented: Presented | None,
    action: Action,
    key: CodeKey,
    origin: Origin,
    *,
    keyring: Keyring,
    now: Instant,
) -> Denied | None:
    """The captcha of a call that brings a code: the pass the code was sent with, or a fresh one.

    The first stays good for that code's five tries, so that a typing error costs no second test
    (docs/contracts/weidu.md section 3.1).
    """
    if isinstance(presented, PassPresented) and await tx.codes.captcha_of(key) == digest(presented.token):
        return None
    return await burn(tx, presented, action, origin, keyring, now)


async def try_code(
    tx: WriteTx,
    key: CodeKey,
    code: str,
    origin: Origin,
    *,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
    mark_verified: bool = False,
) -> Denied | None:
    """Count the try, burn the code if it fits, audit a refusal. None when it fitted.

    Denied: TOO_MANY_REQUESTS, WRONG_CODE; with `mark_verified` (a code told right now, consumed later) also
    CODE_EXPIRED when the code is spent, expired or out of tries.
    """
    limits = policy.limits
    if not key.purpose.needs_captcha and (wait := await _charge_network(tx, origin, keyring, policy, now)):
        return await _refused(tx, Denied(ProblemCode.TOO_MANY_REQUESTS, wait), key, origin, keyring, now)
    counter = keyring.counter_key(Tally.CODE_NUMBER, key.subject)
    (count,) = await tx.counters.hit([Hit(counter, limits.code_tries_window, limits.code_tries_per_number)], now)
    if count.tries > limits.code_tries_per_number:
        refusal: Denied | None = Denied(ProblemCode.TOO_MANY_REQUESTS, count.retry_after(now))
    elif reviewer := policy.test_number(key.subject, now):
        refusal = None if _equal(reviewer.code, code) else Denied(ProblemCode.WRONG_CODE)
        if refusal is None:
            await tx.audit.append(
                event_of(Tag.TEST_NUMBER_USED, origin, now, subject=key.subject, reason=key.purpose.value)
            )
    else:
        macs = code_macs(keyring, key, code)
        if mark_verified:
            taken = await tx.codes.verify(key, macs, now, by=verified_by(origin))
        else:
            taken = await tx.codes.take(key, macs, now)
        refusal = judge_code(taken)
        if mark_verified and taken is Taken.DEAD and await tx.codes.was_sent(key):
            refusal = Denied(ProblemCode.CODE_EXPIRED)
        if refusal is None and identifier_of(key.subject).kind is Kind.PHONE:
            country = country_of(key.subject, policy.sms_countries)
            await tx.traffic.count(prefix_of(key.subject), country, day_of(now), verified=1)
    if refusal is None:
        # The owner spent a try on the right code: it is no sign of guessing.
        await tx.counters.forgive([counter])
        return None
    return await _refused(tx, refusal, key, origin, keyring, now)


async def _refused(
    tx: WriteTx, refusal: Denied, key: CodeKey, origin: Origin, keyring: Keyring, now: Instant
) -> Denied:
    reason = f"{key.purpose.value}:{refusal.code.value}"
    await append_refusal(
        tx, event_of(Tag.CODE_REFUSED, origin, now, subject=key.subject, reason=reason), origin, keyring
    )
    return refusal


async def _charge_network(tx: WriteTx, origin: Origin, keyring: Keyring, policy: Policy, now: Instant) -> int | None:
    """Where no captcha stands before a try, a network has so many of them an hour, at whatever numbers."""
    quota = keyring.counter_key(Quota.VERIFY_NETWORK_HOUR, origin.network)
    return await tx.counters.charge([Claim(quota, policy.limits.verify_per_network, HOUR)], now)


def _equal(known: str, given: str) -> bool:
    return hmac.compare_digest(known.encode(), given.encode("utf-8", "surrogatepass"))


def verified_by(origin: Origin) -> bytes:
    """Who told a code right: only the same network may consume it later, and nobody elsewhere can burn it (OT-17)."""
    return digest(origin.network)


def code_key(origin: Origin, purpose: Purpose, subject: str) -> CodeKey:
    """Codes are bound to app, purpose and subject."""
    return CodeKey(origin.app.app_id, purpose, subject)
