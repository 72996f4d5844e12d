"""Decide whether a code may be sent: by the quotas of its number and networks, and by the budgets of the day.

A part of each is kept for people with accounts, because strangers can use up what is shared. (Decision 0044.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from menshen.core.apps import App
from menshen.core.audit.events import Tag
from menshen.core.codes.asks import SendCode
from menshen.core.codes.sms_traffic import country_of
from menshen.core.gates.limits import (
    Claim,
    Count,
    Hit,
    SendClaim,
    Tally,
    kept_claims,
    kept_of,
    network_budget,
    send_claims,
)
from menshen.core.identifiers import Kind, identifier_of
from menshen.core.keys import Keyring
from menshen.core.networks import Scale, subscriber_of
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import DAY, Instant, seconds_until
from menshen.flows.audit.recording import event_by, event_of
from menshen.flows.gates.known_origin import how_known
from menshen.ports.store.store import WriteTx


class Admitted(Enum):
    """Say what becomes of a request that is not refused. WITHHELD: it is answered, but no message is sent."""

    SENT = auto()
    WITHHELD = auto()


async def admit_code(
    tx: WriteTx, ask: SendCode, origin: Origin, *, solved: bool, keyring: Keyring, policy: Policy, now: Instant
) -> Admitted | Denied:
    """Charge the quotas and budgets of one code. `solved`: a captcha was spent on it. Denied: TOO_MANY_REQUESTS.

    Budgets are looked at first, and charged last: what a budget refuses uses up nothing of the number's quotas, and
    what a quota refuses does not wait for the counters that all requests share. Only of racers for the last code of a
    budget do the losers use up a quota.
    """
    account = await tx.accounts.find_owner(identifier_of(ask.subject))
    known = await how_known(tx.devices, account, origin)
    networks = () if known else origin.networks
    budgets = budgets_of(ask.subject, origin.app, policy, networks=networks)
    keyed = [(keyring.counter_key(Tally.CODE_BUDGET, *budget.key), budget) for budget in budgets]
    full = [(key, budget) for key, budget in keyed if await tx.counters.peek(key, now) >= budget.most]
    if full:
        return await _refuse_full(tx, full, await _hit(tx, full, now), origin, now)
    claims = send_claims(policy.limits, ask.subject, subscriber_of(origin.ip), origin.networks, solved=solved)
    kept = kept_claims(policy.limits, ask.subject, known) if known else ()
    if wait := await _charge_quotas(tx, claims, kept, keyring=keyring, now=now):
        return Denied(ProblemCode.TOO_MANY_REQUESTS, wait)
    counts = await _hit(tx, keyed, now)
    charged = list(zip(keyed, counts, strict=True))
    if any(count.tries > budget.most for (_, budget), count in charged):
        # No message is sent: a flood on one app or country must not use up the budget of all.
        await tx.counters.forgive([key for (key, budget), count in charged if count.tries <= budget.most])
        return await _refuse_full(tx, keyed, counts, origin, now)
    if account is None and any(count.tries > budget.open for (_, budget), count in charged):
        # The network's part is used up as by a message that is sent: else it would tell who has an account.
        await tx.counters.forgive([key for key, budget in keyed if budget.shared])
        return Admitted.WITHHELD
    await _note_use(tx, charged, origin, now)
    return Admitted.SENT


async def _note_use(
    tx: WriteTx, charged: Sequence[tuple[tuple[bytes, Budget], Count]], origin: Origin | None, now: Instant
) -> None:
    """Write the event of each budget of which this message used up a half, or what is not kept for accounts."""
    for (_, budget), count in charged:
        if budget.shared and count.tries == max(1, budget.most // 2):
            await tx.audit.append(event_by(origin, Tag.CODE_BUDGET_HALF, now, reason=budget.name))
        if budget.shared and count.tries == budget.open < budget.most:
            await tx.audit.append(event_by(origin, Tag.CODE_BUDGET_SPENT, now, reason=f"{budget.name}:open"))


async def _hit(tx: WriteTx, keyed: Sequence[tuple[bytes, Budget]], now: Instant) -> Sequence[Count]:
    return await tx.counters.hit([Hit(key, DAY, budget.most) for key, budget in keyed], now)


async def _refuse_full(
    tx: WriteTx, keyed: Sequence[tuple[bytes, Budget]], counts: Sequence[Count], origin: Origin, now: Instant
) -> Denied:
    """Return the refusal by the budgets that are full. Write the event of each that was not full before."""
    waits = []
    for (_, budget), count in zip(keyed, counts, strict=True):
        if count.tries > budget.most:
            waits.append(seconds_until(count.since + DAY, now))
        if budget.shared and count.tries == budget.most + 1:
            await tx.audit.append(event_of(Tag.CODE_BUDGET_SPENT, origin, now, reason=budget.name))
    # Another request may begin the next day of a budget between the look and the charge. Then none is full any more.
    return Denied(ProblemCode.TOO_MANY_REQUESTS, max(waits, default=1))


async def _charge_quotas(
    tx: WriteTx, shared: Sequence[SendClaim], kept: Sequence[SendClaim], *, keyring: Keyring, now: Instant
) -> int | None:
    """Charge the quotas kept for the account's own devices and networks, else those that all share.

    The kept ones come first: what the owner asks for at home leaves the others for a journey.
    """

    def made(claims: Sequence[SendClaim]) -> list[Claim]:
        return [Claim(keyring.counter_key(claim.quota, *claim.key), claim.most, claim.window) for claim in claims]

    return await tx.counters.charge(made(shared), now, kept=made(kept))


@dataclass(frozen=True, slots=True)
class Budget:
    """Hold a day's budget: the parts of its key, and how many codes. Those of networks have no events and keep none."""

    key: tuple[str, ...]
    most: int
    shared: bool = True

    @property
    def name(self) -> str:
        """Return the name that events show."""
        return self.key[0]

    @property
    def open(self) -> int:
        """Return how many codes numbers without an account may use."""
        return self.most - kept_of(self.most) if self.shared else self.most


def budgets_of(subject: str, app: App | None, policy: Policy, *, networks: Sequence[Scale] = ()) -> list[Budget]:
    """Return the budgets that a message to `subject` is charged to.

    Text messages have one for all, one of their app, and one of their country. Mails have one for all. Of each, every
    one of `networks` uses a part: those of the request, and none where the account knows it. Neighbours could use the
    part of a known one up.
    """
    limits, kind = policy.limits, identifier_of(subject).kind
    if kind is Kind.PHONE:
        whole = limits.send_budget_per_day
        country = country_of(subject, policy.sms_countries)
        budgets = [Budget(("all",), whole), Budget((f"country:{country}",), policy.country_budget(country))]
        if app is not None and app.sms_per_day:
            budgets.insert(1, Budget((f"app:{app.app_id}",), app.sms_per_day))
    else:
        whole = limits.mail_budget_per_day
        budgets = [Budget(("mail",), whole)]
    part = network_budget(whole, limits)
    return budgets + [
        Budget((f"{kind.value}-network", scale.network), part * scale.factor, shared=False) for scale in networks
    ]


async def charge_notice(
    tx: WriteTx, subject: str, origin: Origin | None, *, keyring: Keyring, policy: Policy, now: Instant
) -> str:
    """Charge a message without a code to the budgets of the day. Return the name of one that is spent, "" for none.

    `origin` is None for an administrator's change. A notice that is not sent uses up nothing, so the first code that is
    refused is the one that writes the event of a spent budget.
    """
    budgets = budgets_of(subject, origin.app if origin else None, policy)
    keyed = [(keyring.counter_key(Tally.CODE_BUDGET, *budget.key), budget) for budget in budgets]
    for key, budget in keyed:
        if await tx.counters.peek(key, now) >= budget.most:
            return budget.name
    charged = list(zip(keyed, await _hit(tx, keyed, now), strict=True))
    over = [budget for (_, budget), count in charged if count.tries > budget.most]
    if over:
        await tx.counters.forgive([key for key, _ in keyed])
        return over[0].name
    await _note_use(tx, charged, origin, now)
    return ""
