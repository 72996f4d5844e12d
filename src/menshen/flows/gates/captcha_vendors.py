"""Ask captcha vendors about tokens, and decide what comes in place of a verdict that they do not give.

A question costs money, and the vendor may be away. Each vendor has a breaker in each process, a process has 64
questions under way at most, and no error is ever a pass. (docs/contracts/vendors.md section 4, decision 0068.)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from menshen.core.apps import App
from menshen.core.codes.sms_traffic import day_of
from menshen.core.gates.captcha import PassPresented, Presented, ProofOfWork
from menshen.core.gates.captcha_vendors import (
    MOST_UNDER_WAY,
    TOKEN_MEMORY,
    Asked,
    Fallback,
    VendorTerms,
    hosts_of,
    instead_of,
    nonce_of,
    over,
)
from menshen.core.gates.limits import Hit, Quota, Tally
from menshen.core.keys import Keyring
from menshen.core.networks import UNKNOWN as NO_ADDRESS
from menshen.core.outward.breaker import Breaker
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.strict_json import NotStrictError, read_object
from menshen.core.time import DAY, Instant, after
from menshen.core.tokens import digest
from menshen.flows.gates.network_quotas import charge_networks
from menshen.ports.captcha import CaptchaProvider, CaptchaVendor, Failed, NamesTokens, Passed
from menshen.ports.outward import NotReached, Unknown
from menshen.ports.store.store import Store, WriteTx
from menshen.ports.world import World

_ONE_STEP: Final = 1
"""How much harder than deserved the built-in test is that stands in place of a vendor's verdict."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Tell how a token ended at a vendor. `why` is a word for the log. `ms` is None where nothing was asked."""

    name: str
    type: str
    result: Asked
    why: str = ""
    ms: float | None = None


@dataclass(slots=True)
class _Desk:
    """Hold one vendor with its terms, and how it was lately."""

    terms: VendorTerms
    vendor: CaptchaVendor
    breaker: Breaker = field(default_factory=Breaker)


class CaptchaVendors:
    """Hold the vendors of the settings, by name, for one process."""

    def __init__(
        self,
        vendors: Iterable[tuple[VendorTerms, CaptchaVendor]] = (),
        *,
        world: World,
        origins: Iterable[str] = (),
        most: int = MOST_UNDER_WAY,
        report: Callable[[Answered], None] | None = None,
    ) -> None:
        """Ask nothing yet. `origins` are the browser origins that may read answers; `report` takes each end."""
        self._desks: Mapping[str, _Desk] = {terms.name: _Desk(terms, vendor) for terms, vendor in vendors}
        self._world = world
        self._origins = tuple(origins)
        self._most = most
        self._report = report
        self._under_way: set[asyncio.Task[Asked]] = set()

    def terms_of(self, app: App) -> VendorTerms:
        """Return the terms of the app's vendor. One that the settings lack is as one that is away."""
        desk = self._desks.get(app.captcha_vendor)
        return desk.terms if desk else VendorTerms(app.captcha_vendor, "")

    def hindrance(self, app: App) -> Asked | None:
        """Return why the app's vendor would not be asked now, or None."""
        desk = self._desks.get(app.captcha_vendor)
        if desk is None or not desk.breaker.admits(self._world.running_ms()):
            return Asked.BREAKER_OPEN
        return Asked.FULL if len(self._under_way) >= self._most else None

    def nonce_of(self, app: App, payload: str) -> str:
        """Return the value under which the token in `payload` is spent: one value for all spellings of a token."""
        desk = self._desks.get(app.captcha_vendor)
        return nonce_of(app.captcha_vendor, _token_of(desk.vendor if desk else None, payload))

    def tell(self, app: App, result: Asked) -> Asked:
        """Report a token about which no vendor was asked. Return `result`."""
        terms = self.terms_of(app)
        if self._report:
            self._report(Answered(terms.name, terms.type, result))
        return result

    async def ask(self, payload: str, origin: Origin, policy: Policy) -> Asked:
        """Ask the app's vendor once about a spent token. Call it outside of transactions. It raises nothing.

        A caller that goes away does not stop the question: its end counts for the breaker.
        """
        if hindrance := self.hindrance(origin.app):
            return self.tell(origin.app, hindrance)
        desk = self._desks[origin.app.captcha_vendor]
        desk.breaker.begin(self._world.running_ms())
        task = asyncio.get_running_loop().create_task(self._question(desk, payload, origin, policy))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End the questions whose callers went away."""
        for task in [*self._under_way]:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _question(self, desk: _Desk, payload: str, origin: Origin, policy: Policy) -> Asked:
        terms = desk.terms
        began = self._world.elapsed_ms()
        try:
            async with asyncio.timeout(terms.seconds):
                verdict = await desk.vendor.verify(
                    payload,
                    hosts=hosts_of(origin.app, terms, policy.hosts, self._origins),
                    action=terms.action,
                    client_ip=origin.ip if terms.send_ip and origin.ip != NO_ADDRESS else "",
                    now=self._world.now(),
                )
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - an error of a vendor's file is no pass
            verdict = Unknown(type(error).__name__)
        result, why = _result_of(verdict)
        now = self._world.running_ms()
        if result.is_verdict:
            desk.breaker.succeed(now)
        else:
            desk.breaker.fail(now)
        if self._report:
            self._report(Answered(terms.name, terms.type, result, why, self._world.elapsed_ms() - began))
        return result


def _result_of(verdict: object) -> tuple[Asked, str]:
    """Return how a question ended, and the word for the log. What is no verdict of the port is UNKNOWN."""
    match verdict:
        case Passed():
            return Asked.PASSED, ""
        case Failed(reason=why):
            return Asked.FAILED, why
        case NotReached(reason=why):
            return Asked.NOT_REACHED, why
        case Unknown(reason=why):
            return Asked.UNKNOWN, why
        case _:
            return Asked.UNKNOWN, "no verdict"


def _token_of(vendor: object, payload: str) -> str:
    """Return what names the token in `payload`: by the vendor's word if it has one, else by the form of the text."""
    if isinstance(vendor, NamesTokens):
        try:
            return vendor.token_of(payload)
        except Exception:  # noqa: BLE001 - an error of a vendor's file must not keep a token from being spent
            return _one_spelling(payload)
    return _one_spelling(payload)


def _one_spelling(payload: str) -> str:
    """Return the JSON object in `payload` in one spelling, and any other text as it is."""
    try:
        fields = read_object(payload.encode("utf-8", "surrogatepass"))
    except NotStrictError:
        return payload
    return json.dumps(fields, sort_keys=True)


async def judge_token(
    payload: str,
    origin: Origin,
    *,
    captcha_vendors: CaptchaVendors,
    store: Store,
    world: World,
    keyring: Keyring,
    policy: Policy,
) -> Asked | Denied:
    """Spend a token, then ask the app's vendor about it. Denied: TOO_MANY_REQUESTS; CAPTCHA_INVALID for a spent one.

    What is charged and spent is committed before the question, and stays so however it ends: a question costs money,
    and a token is good once. No transaction is open while the vendor is asked.
    """
    app, now = origin.app, world.now()
    terms, hindrance = captcha_vendors.terms_of(app), captcha_vendors.hindrance(app)
    nonce = captcha_vendors.nonce_of(app, payload)

    async def work(tx: WriteTx) -> Asked | Denied | None:
        most = policy.limits.solve_per_network
        if wait := await charge_networks(tx, Quota.SOLVE_NETWORK_HOUR, most, origin, keyring=keyring, now=now):
            return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
        if not await tx.captchas.spend_nonce(nonce, after(now, TOKEN_MEMORY)):
            return Denied(ProblemCode.CAPTCHA_INVALID)
        return hindrance or await _charge_day(tx, terms, keyring, now)

    stopped = await store.write(work)
    if isinstance(stopped, Asked):
        return captcha_vendors.tell(app, stopped)
    return stopped or await captcha_vendors.ask(payload, origin, policy)


async def _charge_day(tx: WriteTx, terms: VendorTerms, keyring: Keyring, now: Instant) -> Asked | None:
    """Charge one question to the vendor's day. Return SPENT where none is left."""
    if not terms.per_day:
        return None
    key = keyring.counter_key(Tally.CAPTCHA_VENDOR, terms.name, str(day_of(now)))
    if await tx.counters.peek(key, now) >= terms.per_day:
        return Asked.SPENT
    # The day is part of the key: the row outlives it by a day, for clocks that differ.
    (count,) = await tx.counters.hit([Hit(key, 2 * DAY, terms.per_day)], now)
    return Asked.SPENT if count.tries > terms.per_day else None


def challenge_instead(origin: Origin, deserved: int, *, captcha: CaptchaProvider, now: Instant) -> ProofOfWork:
    """Make the built-in test that stands in place of a vendor's verdict: one step harder than deserved."""
    return captcha.challenge(
        app_id=origin.app.app_id,
        network=origin.network,
        difficulty=deserved + _ONE_STEP,
        now=now,
        basis=instead_of(origin.app.captcha_vendor),
    )


def with_challenge(
    refusal: Denied,
    presented: Presented | None,
    origin: Origin,
    *,
    difficulty: int,
    captcha: CaptchaProvider,
    captcha_vendors: CaptchaVendors,
    now: Instant,
) -> Denied:
    """Return the refusal of an action that asks for a captcha of `difficulty`, with the built-in test that helps.

    At an app with a vendor, that test helps in two cases. It stands on top of a pass, where the network deserves more
    than the vendor's test. Or it stands in place of a vendor that is away. Else the refusal has no test, and the client
    shows the vendor's.
    """
    app = origin.app
    if not app.captcha_vendor:
        made = captcha.challenge(app_id=app.app_id, network=origin.network, difficulty=difficulty, now=now)
    elif difficulty > 1 and isinstance(presented, PassPresented):
        basis = over(digest(presented.token))
        made = captcha.challenge(app_id=app.app_id, network=origin.network, difficulty=difficulty, now=now, basis=basis)
    elif falls_back(captcha_vendors, app):
        made = challenge_instead(origin, difficulty, captcha=captcha, now=now)
    else:
        return Denied(refusal.code)
    return Denied(refusal.code, challenge=made.as_json())


def falls_back(captcha_vendors: CaptchaVendors, app: App) -> bool:
    """Tell whether the app's vendor would not be asked now, and the built-in test is to stand in its place."""
    terms = captcha_vendors.terms_of(app)
    return captcha_vendors.hindrance(app) is not None and terms.fallback is Fallback.PROOF_OF_WORK
