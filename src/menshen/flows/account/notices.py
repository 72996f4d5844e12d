"""Notify the owner of an account about a change. A notice costs as much as a code, so it is counted as one.

A notice beyond its quota or a budget of the day is dropped with an event. The change that it tells of is never refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from menshen.core.account.security_links import LIFETIME, SecurityAct, SecurityLink, mailbox_of, secret_of
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Channel, Message, Template, channel_to
from menshen.core.delivery.wording import carries_link
from menshen.core.gates.limits import Claim, Quota
from menshen.core.identifiers import Kind, can_receive_sms, identifier_of
from menshen.core.keys import Keyring
from menshen.core.networks import site_of
from menshen.core.pages.address import pages_address
from menshen.core.policy import Policy
from menshen.core.rules import Origin
from menshen.core.time import HOUR, Instant, after
from menshen.core.tokens import digest
from menshen.flows.audit.recording import event_by
from menshen.flows.codes.budgets import charge_notice
from menshen.ports.store.store import WriteTx

_TOPIC: Final = "notice-topic"


async def notify(
    tx: WriteTx,
    subjects: Iterable[str],
    template: Template,
    now: Instant,
    *,
    origin: Origin | None,
    keyring: Keyring,
    policy: Policy,
    detail: str = "",
    act: SecurityAct | None = None,
) -> None:
    """Queue a notice to each canonical phone or email, in the transaction of the change.

    `origin` is None for an administrator's change. `detail` is what stands in the template, "" if it has no place.
    `act` names the security act that it tells of. Then a mail says where the act came from and, if the app has pages,
    carries a link that says "that was not me". The row of the link holds a digest of its secret. (decision 0080.)
    A notice takes the place of one of the same kind that still waits.
    """
    admitted = []
    for subject in subjects:
        if why := await _refuse(tx, subject, template, keyring=keyring, policy=policy, now=now):
            await _note_dropped(tx, subject, f"{template}:{why}", origin, now)
        else:
            admitted.append(subject)
    # Counters that all requests share come last, and once for each message: see `admit_code`.
    for subject in admitted:
        if policy.test_number(subject, now):
            continue
        if budget := await charge_notice(tx, subject, origin, keyring=keyring, policy=policy, now=now):
            await _note_dropped(tx, subject, f"{template}:{budget}", origin, now)
            continue
        language, app = (origin.language, origin.app.name) if origin else ("zh", "")
        message = Message(channel_to(subject), subject, template, language, now, detail=detail, app=app)
        if act and origin and message.channel is Channel.EMAIL and carries_link(template):
            pages = await _pages_of(tx, origin, policy)
            link = await _link(tx, message, act, pages, keyring) if pages else ""
            message = replace(message, link=link, where=site_of(origin.ip))
        await tx.outbox.put(message, topic=keyring.counter_key(_TOPIC, template, subject))


async def _pages_of(tx: WriteTx, origin: Origin, policy: Policy) -> str:
    """Return the address of the app's pages, "" for an app without pages or without one name."""
    address = pages_address(origin.app, policy.hosts)
    settings = (await tx.app_pages.list_all()).get(origin.app.app_id) if address else None
    return address if settings and settings.on else ""


async def _link(tx: WriteTx, message: Message, act: SecurityAct, pages: str, keyring: Keyring) -> str:
    """Store a link about an act, and return its address. The message that carries it is sealed."""
    now, mailbox = message.created_at, mailbox_of(keyring, message.to)
    secret = secret_of(keyring, act, message.to, message.template, now)
    link = SecurityLink(act.account_number, act.session_id, mailbox, now, after(now, LIFETIME))
    await tx.security_links.add(digest(secret), link)
    return f"{pages}/not-me/{secret}"


async def _refuse(
    tx: WriteTx, subject: str, template: Template, *, keyring: Keyring, policy: Policy, now: Instant
) -> str:
    """Charge the number's own quota. Return why a notice is not sent, "" for one that is.

    Each template has a quota: a thief cannot use up the notice of a changed phone by changes of the password.
    """
    is_phone = identifier_of(subject).kind is Kind.PHONE
    if is_phone and not can_receive_sms(subject, policy.sms_countries):
        return "country"
    claim = Claim(
        keyring.counter_key(Quota.NOTICE_NUMBER_HOUR, subject, template), policy.limits.notices_per_hour, HOUR
    )
    return "quota" if await tx.counters.charge([claim], now) else ""


async def _note_dropped(tx: WriteTx, subject: str, reason: str, origin: Origin | None, now: Instant) -> None:
    await tx.audit.append(event_by(origin, Tag.NOTICE_DROPPED, now, subject=subject, reason=reason))
