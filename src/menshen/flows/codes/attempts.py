"""Check a one-time code: count the attempt, spend the code if it is correct, then judge the result.

Attempts are counted by phone or email, over all codes, purposes and apps: those of each network that asked for a code,
and those of all others together. So strangers cannot use up the tries of the person who asked. (Decision 0044.)

All of this happens in one transaction, which is committed for a wrong code, too. If a later step fails, the user needs
a new code, which is the safe side.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from menshen.core.audit.events import Event, Tag
from menshen.core.codes.one_time_codes import CodeKey, Purpose, SentCode, Taken, judge_code
from menshen.core.codes.sms_traffic import country_of, day_of, prefix_of
from menshen.core.gates.captcha import Action, PassPresented, Presented
from menshen.core.gates.limits import Hit, Quota, Tally
from menshen.core.identifiers import Kind, identifier_of
from menshen.core.keys import Keyring, Use
from menshen.core.networks import site_of
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.text.typed import typed_code
from menshen.core.time import Instant
from menshen.core.tokens import digest
from menshen.flows.audit.recording import append_refusal, event_of
from menshen.flows.gates.captcha import burn
from menshen.flows.gates.device_signs import spend_sign
from menshen.flows.gates.known_origin import how_known
from menshen.flows.gates.network_quotas import charge_networks
from menshen.ports.store.store import WriteTx

CODE_REFUSALS: Final = frozenset({ProblemCode.TOO_MANY_REQUESTS, ProblemCode.WRONG_CODE})
"""Refusals of `try_code` without `mark_verified`."""


def code_macs(keyring: Keyring, key: CodeKey, code: str) -> tuple[bytes, ...]:
    """Return the keyed digests of a code for one app, purpose and subject, one for each live key."""
    return keyring.macs(Use.CODE, str(key.app_id), key.purpose.value, key.subject, code)


async def redeem_code(
    tx: WriteTx,
    key: CodeKey,
    code: str,
    presented: Presented | None,
    action: Action,
    origin: Origin,
    *,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
) -> Denied | None:
    """Spend the captcha and the sign of a call with a code, then try the code. Return None if it is correct.

    The pass with which the code was sent stays valid for its attempts, so that a typing error does not require a second
    test (docs/contracts/weidu.md section 3.1). Denied: as `burn`, `spend_sign` and `try_code`.
    """
    asker = asker_of(keyring, origin)
    sent = await tx.codes.find(key, now, asker=asker)
    refusal: Denied | None = None
    if key.purpose.needs_captcha and not _was_sent_with(sent, presented):
        refusal = await burn(tx, presented, action, origin, keyring, now)
    refusal = refusal or await spend_sign(tx, origin)
    return refusal or await _try_code(tx, key, code, sent, asker, origin, keyring=keyring, policy=policy, now=now)


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
    """Count the attempt, spend the code if it is correct, and audit a refusal. Return None if it is correct.

    With `mark_verified` a correct code is marked as verified, and a later call consumes it.
    Denied: TOO_MANY_REQUESTS, WRONG_CODE; with `mark_verified` also CODE_EXPIRED, if the code is spent, expired or out
    of attempts.
    """
    asker = asker_of(keyring, origin)
    sent = await tx.codes.find(key, now, asker=asker)
    return await _try_code(
        tx, key, code, sent, asker, origin, keyring=keyring, policy=policy, now=now, mark_verified=mark_verified
    )


def _was_sent_with(sent: SentCode | None, presented: Presented | None) -> bool:
    return sent is not None and isinstance(presented, PassPresented) and sent.captcha == digest(presented.token)


async def _try_code(
    tx: WriteTx,
    key: CodeKey,
    code: str,
    sent: SentCode | None,
    asker: bytes,
    origin: Origin,
    *,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
    mark_verified: bool = False,
) -> Denied | None:
    limits, reviewer, code = policy.limits, policy.test_number(key.subject, now), typed_code(code)
    if sent is not None and sent.open and not sent.live and await _is_known(tx, key, origin):
        # Strangers used up the part of others. What the account knows has the part of who asked.
        sent, asker = replace(sent, live=True, own=True), sent.asked_by
    # Where nothing can be guessed, an attempt counts against its network alone. Else strangers could use up the
    # number's.
    guess = reviewer is not None or (sent is not None and sent.live)
    if not (guess and key.purpose.needs_captcha):
        most = limits.verify_per_network
        if wait := await charge_networks(tx, Quota.VERIFY_NETWORK_HOUR, most, origin, keyring=keyring, now=now):
            return await _refused(tx, Denied(ProblemCode.TOO_MANY_REQUESTS, wait), key, origin, keyring, now)
    counter = _counter_of(keyring, key, origin, own=reviewer is None and sent is not None and sent.own)
    if guess:
        (count,) = await tx.counters.hit([Hit(counter, limits.code_tries_window, limits.code_tries_per_number)], now)
        if count.tries > limits.code_tries_per_number:
            wait = count.retry_after(now)
            return await _refused(tx, Denied(ProblemCode.TOO_MANY_REQUESTS, wait), key, origin, keyring, now)
    if reviewer:
        refusal = None if _equal(reviewer.code, code) else Denied(ProblemCode.WRONG_CODE)
        if refusal is None:
            await tx.audit.append(
                event_of(Tag.TEST_NUMBER_USED, origin, now, subject=key.subject, reason=key.purpose.value)
            )
    else:
        macs, by = code_macs(keyring, key, code), verified_by(origin) if mark_verified else None
        taken = await _take(tx, key, macs, asker, policy, now, by=by)
        refusal = judge_code(taken)
        if mark_verified and taken is Taken.DEAD and sent is not None:
            refusal = Denied(ProblemCode.CODE_EXPIRED)
    if refusal is None:
        # A correct code is no sign of guessing, so the attempt is refunded.
        await tx.counters.forgive([counter])
        return None
    return await _refused(tx, refusal, key, origin, keyring, now)


async def _is_known(tx: WriteTx, key: CodeKey, origin: Origin) -> bool:
    """Check whether the account with this number or address knows the caller's device or network."""
    account = await tx.accounts.find_owner(identifier_of(key.subject))
    return await how_known(tx.devices, account, origin) != ""


async def _take(
    tx: WriteTx, key: CodeKey, macs: Sequence[bytes], asker: bytes, policy: Policy, now: Instant, *, by: bytes | None
) -> Taken:
    """Spend the code if it is right, or with `by` mark it as verified by that network. Count it for its prefix."""
    if by is not None:
        taken = await tx.codes.verify(key, macs, now, by=by, asker=asker)
    else:
        taken = await tx.codes.take(key, macs, now, asker=asker)
    if taken is Taken.MATCHED and identifier_of(key.subject).kind is Kind.PHONE:
        country = country_of(key.subject, policy.sms_countries)
        await tx.traffic.count(prefix_of(key.subject), country, day_of(now), verified=1)
    return taken


def _counter_of(keyring: Keyring, key: CodeKey, origin: Origin, *, own: bool) -> bytes:
    """Return the counter of an attempt: of the network that asked for the code, or of all others together."""
    if own:
        return keyring.counter_key(Tally.CODE_ASKER, key.subject, site_of(origin.ip))
    return keyring.counter_key(Tally.CODE_NUMBER, key.subject)


def asker_of(keyring: Keyring, origin: Origin) -> bytes:
    """Return the digest of the network that asks for a code: its /24 or /56. It does not reveal the network."""
    return keyring.counter_key(Tally.CODE_ASKER, site_of(origin.ip))


async def _refused(
    tx: WriteTx, refusal: Denied, key: CodeKey, origin: Origin, keyring: Keyring, now: Instant
) -> Denied:
    reason = f"{key.purpose.value}:{refusal.code.value}"
    await append_refusal(
        tx, event_of(Tag.CODE_REFUSED, origin, now, subject=key.subject, reason=reason), origin, keyring
    )
    return refusal


def dead_proof_event(key: CodeKey, origin: Origin, now: Instant) -> Event:
    """Make the event of a code that was right, and that a change of its account or of the epoch ended meanwhile."""
    reason = f"{key.purpose.value}:ended_meanwhile"
    return event_of(Tag.CODE_REFUSED, origin, now, subject=key.subject, reason=reason)


def _equal(known: str, given: str) -> bool:
    return hmac.compare_digest(known.encode(), given.encode("utf-8", "surrogatepass"))


def verified_by(origin: Origin) -> bytes:
    """Return a digest of the network that verifies a code.

    Only the same network may consume the code later, and no other network can spend it (OT-17).
    """
    return digest(origin.network)


def code_key(origin: Origin, purpose: Purpose, subject: str) -> CodeKey:
    """Return the key of a code, which binds it to app, purpose and subject."""
    return CodeKey(origin.app.app_id, purpose, subject)
