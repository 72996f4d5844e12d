"""Answer the overview of security: password, phone, e-mail, factors, trusted devices, and what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from menshen.core.audit.own_events import OwnEvent
from menshen.core.factors.outcomes import FactorList
from menshen.core.identifiers import masked
from menshen.core.problems import Denied
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer
from menshen.wire.pages.call import Call
from menshen.wire.pages.calls.account.moments import Moment, moment
from menshen.wire.pages.look.words import Words
from menshen.wire.pages.routing import Route

PAGE: Final = "/account/security"


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """Hold an event in words."""

    said: str
    app: str
    network: str
    at: Moment | None


@dataclass(frozen=True, slots=True)
class ShownKey:
    """Hold a passkey or a trusted device as its owner reads it."""

    id: str
    name: str
    made: Moment | None
    used: Moment | None
    backed_up: bool = False


async def get(call: Call) -> Answer:
    """Show how the person logs in, and each way to change it."""
    return await show(call)


async def show(call: Call, error: Denied | None = None) -> Answer:
    """Return the page, with a refusal above it."""
    listed = await call.flows.factors.list(call.member, call.origin)
    events = await call.flows.account.events(call.member, call.origin)
    if isinstance(listed, Denied):
        return call.page("account/nothing.html", error=listed)
    account, words, now = call.member.account, call.words, call.now
    return call.page(
        "account/security/overview.html",
        error=error,
        account=account,
        has_password=bool(account.password_hash),
        password_changed=moment(words, account.password_changed_at, now),
        phone=masked(account.phone) if account.phone else "",
        email=masked(account.email) if account.email else "",
        listed=listed,
        app_factor=next((factor for factor in listed.factors if factor.kind == "totp"), None),
        passkeys=shown_passkeys(call, listed),
        trusted=[
            ShownKey(
                each.trust_id,
                each.name or words("devices.browser"),
                moment(words, each.created_at, now),
                moment(words, each.used_at, now),
            )
            for each in listed.trusted
        ],
        events=[] if isinstance(events, Denied) else [_said(call, event) for event in events],
    )


def shown_passkeys(call: Call, listed: FactorList) -> list[ShownKey]:
    """Return the passkeys of an account as its owner reads them."""
    words, now = call.words, call.now
    return [
        ShownKey(
            key.passkey_id, key.name, moment(words, key.created_at, now), moment(words, key.used_at, now), key.backed_up
        )
        for key in listed.passkeys
    ]


def _said(call: Call, event: OwnEvent) -> ShownEvent:
    return ShownEvent(words_of(call.words, event), event.app, event.network, moment(call.words, event.at, call.now))


def words_of(words: Words, event: OwnEvent) -> str:
    """Return an event in words: by its reason where that has words of its own."""
    tag = event.tag.value.replace(".", "_")
    by_reason = f"event.{tag}_{event.reason}"
    return words(by_reason if event.reason and words.has(by_reason) else f"event.{tag}")


ROUTES: Final = (Route("GET", PAGE, get, "factors.list", Access.PRIVATE),)
