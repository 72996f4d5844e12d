"""Send a one-time code: within a budget, after a captcha, with the same answer for known and unknown numbers.

If few of the codes sent to a number prefix are verified, a fraudster may earn money on the messages (SMS pumping). Each
request for such a prefix needs a captcha, and a harder one.

The message goes into the outbox in the same transaction as its code. So the response time reveals nothing about the
carrier, and neither of the two is stored without the other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from menshen.core.apps import CaptchaRule
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import CodeSent, SendCode
from menshen.core.codes.one_time_codes import DIGITS, LIFETIME, CodeChallenge, Purpose
from menshen.core.codes.sms_traffic import (
    PUMPED_DIFFICULTY,
    Traffic,
    country_of,
    day_of,
    is_pumped,
    is_worth_an_alarm,
    prefix_of,
)
from menshen.core.delivery.messages import Message, Template, channel_to
from menshen.core.gates.captcha import Action, PassPresented
from menshen.core.gates.limits import is_crowded
from menshen.core.identifiers import Kind, can_receive_sms
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant, after
from menshen.core.tokens import digest
from menshen.flows.audit.recording import append_refusal, event_of
from menshen.flows.codes.attempts import asker_of, code_key, code_macs
from menshen.flows.codes.budgets import Admitted, admit_code
from menshen.flows.gates.captcha import ASKS_FOR_CAPTCHA, CAPTCHA_REFUSALS, burn, note_captcha_asked
from menshen.flows.gates.captcha_vendors import CaptchaVendors, with_challenge
from menshen.flows.gates.device_signs import SIGN_REFUSALS, spend_sign
from menshen.flows.gates.network_quotas import codes_of_network
from menshen.flows.gates.risk_signals import network_difficulty
from menshen.flows.use_case import FlowKind, use_case
from menshen.ports.captcha import CaptchaProvider
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

_TOPIC: Final = "code-topic"

_TEMPLATES = {
    Purpose.LOGIN: Template.CODE_LOGIN,
    Purpose.SIGNUP: Template.CODE_SIGNUP,
    Purpose.RESET: Template.CODE_RESET,
    Purpose.BIND: Template.CODE_BIND,
    Purpose.PROOF: Template.CODE_PROOF,
    Purpose.VERIFY: Template.CODE_VERIFY,
    Purpose.STEP: Template.CODE_STEP,
}


@use_case(
    FlowKind.CODE_SENT,
    CAPTCHA_REFUSALS
    | SIGN_REFUSALS
    | {ProblemCode.FORBIDDEN, ProblemCode.COUNTRY_NOT_ALLOWED, ProblemCode.TOO_MANY_REQUESTS},
    deny_list=True,
    device_rule=True,
)
async def send_code(
    ask: SendCode,
    origin: Origin,
    *,
    captcha: CaptchaProvider,
    captcha_vendors: CaptchaVendors,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> CodeSent | Denied:
    """Queue a code of six digits, valid for 300 s. It replaces the older one for the same app, purpose and subject.

    Denied: CAPTCHA_REQUIRED, CAPTCHA_INVALID, COUNTRY_NOT_ALLOWED, TOO_MANY_REQUESTS. FORBIDDEN for a sign-up if the
    app allows none by this kind, and for a second step, whose code is sent for a ticket only. An app that always asks
    for a captcha does so for each purpose. (docs/contracts/core.md section 4.1.)
    """
    if ask.purpose is Purpose.STEP or (ask.purpose is Purpose.SIGNUP and not origin.app.signs_up_with(ask.kind)):
        return Denied(ProblemCode.FORBIDDEN)
    now = world.now()
    code = world.digits(DIGITS)

    async def work(tx: WriteTx) -> tuple[CodeSent | Denied, int]:
        traffic = await traffic_of(tx, ask, policy, now)
        pumped = is_pumped(traffic, policy.limits)
        codes = await codes_of_network(tx.counters, origin, keyring=keyring, now=now)
        asked = pumped or is_crowded(codes, policy.limits) or origin.app.captcha is CaptchaRule.ALWAYS
        solved = asked or ask.purpose.needs_captcha
        difficulty = 1
        if solved:
            deserved = await network_difficulty(
                tx.counters, origin, codes=codes, keyring=keyring, policy=policy, now=now
            )
            difficulty = max(deserved, PUMPED_DIFFICULTY) if pumped else deserved
            if refusal := await burn(tx, ask.captcha, Action.SEND_CODE, origin, keyring, now, difficulty=difficulty):
                if not ask.purpose.needs_captcha:
                    # Such clients ask first whether a captcha is needed.
                    await note_captcha_asked(tx, origin, keyring, policy.limits, now)
                return refusal, difficulty
        if ask.kind is Kind.PHONE and not can_receive_sms(ask.subject, policy.sms_countries):
            return Denied(ProblemCode.COUNTRY_NOT_ALLOWED, field="phone"), difficulty
        if refusal := await spend_sign(tx, origin):
            return refusal, difficulty
        sent = await queue_code(
            tx, ask, origin, code=code, solved=solved, traffic=traffic, keyring=keyring, policy=policy, now=now
        )
        return sent, difficulty

    outcome, difficulty = await store.write(work)
    if isinstance(outcome, Denied) and outcome.code in ASKS_FOR_CAPTCHA:
        return with_challenge(
            outcome,
            ask.captcha,
            origin,
            difficulty=difficulty,
            captcha=captcha,
            captcha_vendors=captcha_vendors,
            now=now,
        )
    return outcome


async def queue_code(
    tx: WriteTx,
    ask: SendCode,
    origin: Origin,
    *,
    code: str,
    solved: bool,
    traffic: Traffic,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
) -> CodeSent | Denied:
    """Charge a code, store it, and put its message into the outbox. The caller judged the captcha and the country.

    `code` are six random digits. `solved`: a captcha was spent on it. `traffic` is that of the number's prefix.
    Denied: TOO_MANY_REQUESTS.
    """
    key = code_key(origin, ask.purpose, ask.subject)
    presented = digest(ask.captcha.token) if isinstance(ask.captcha, PassPresented) else b""
    admitted = await admit_code(tx, ask, origin, solved=solved, keyring=keyring, policy=policy, now=now)
    if isinstance(admitted, Denied):
        await _note_unsent(tx, ask, "not_sent", origin, keyring, now)
        return admitted
    reviewer = policy.test_number(ask.subject, now)
    ends = after(now, LIFETIME) if reviewer is None else min(after(now, LIFETIME), reviewer.until)
    mac = code_macs(keyring, key, reviewer.code if reviewer else code)[0]
    # Also stored for a reviewer, so that the captcha stays valid for the five attempts of the code.
    await tx.codes.put(CodeChallenge(key, mac, presented, now, ends, asker_of(keyring, origin)))
    if admitted is Admitted.WITHHELD:
        # The answer is the same as for a number with an account, and so is what the next one gets.
        await _note_sent(tx, ask, origin, traffic, policy, now)
        await _note_unsent(tx, ask, "withheld", origin, keyring, now)
        return CodeSent()
    if reviewer is None:
        to, template = ask.subject, _TEMPLATES[ask.purpose]
        message = Message(channel_to(to), to, template, origin.language, now, code=code, app=origin.app.name)
        # A newer code of the same app, purpose and number takes its place, also while it waits to be sent.
        topic = keyring.counter_key(_TOPIC, str(key.app_id), key.purpose.value, key.subject)
        await tx.outbox.put(message, topic=topic)
        await _note_sent(tx, ask, origin, traffic, policy, now)
    await tx.audit.append(event_of(Tag.CODE_SENT, origin, now, subject=ask.subject, reason=ask.purpose.value))
    return CodeSent()


async def traffic_of(tx: WriteTx, ask: SendCode, policy: Policy, now: Instant) -> Traffic:
    """Return the codes sent to the number's prefix yesterday and today, and those verified. Empty for email."""
    if ask.kind is not Kind.PHONE:
        return Traffic("", "", 0, 0)
    prefix = prefix_of(ask.subject)
    sent, verified = await tx.traffic.of_prefix(prefix, day_of(now) - 1)
    return Traffic(prefix, country_of(ask.subject, policy.sms_countries), sent, verified)


async def _note_unsent(tx: WriteTx, ask: SendCode, why: str, origin: Origin, keyring: Keyring, now: Instant) -> None:
    event = event_of(Tag.CODE_REFUSED, origin, now, subject=ask.subject, reason=f"{ask.purpose.value}:{why}")
    await append_refusal(tx, event, origin, keyring)


async def _note_sent(
    tx: WriteTx, ask: SendCode, origin: Origin, traffic: Traffic, policy: Policy, now: Instant
) -> None:
    if ask.kind is not Kind.PHONE:
        return
    await tx.traffic.count(traffic.prefix, traffic.country, day_of(now), sent=1)
    after_it = replace(traffic, sent=traffic.sent + 1)
    if is_worth_an_alarm(after_it, policy.limits):
        counts = f"{after_it.prefix}:{after_it.verified}/{after_it.sent}"
        await tx.audit.append(event_of(Tag.CODE_PREFIX_PUMPED, origin, now, reason=counts))
