"""Answer the overview of the account: who is logged in, what needs attention, the last login, and the other parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from menshen.core.account.accounts import Account
from menshen.core.factors.outcomes import FactorList
from menshen.core.identifiers import masked
from menshen.core.networks import shortened
from menshen.core.pages.settings import PageSettings, Way
from menshen.core.plain_text import plain
from menshen.core.problems import Denied
from menshen.wire.dialect import Access
from menshen.wire.pages.answers import Answer
from menshen.wire.pages.call import Call
from menshen.wire.pages.calls.account.moments import Moment, moment
from menshen.wire.pages.request.reading import own_origin
from menshen.wire.pages.request.returning import origin_of
from menshen.wire.pages.routing import Route

_SECURITY: Final = "/account/security"
_MADE_NAME: Final = 19
"""Digits of a name that `time_ordered_name` made. No person chose it."""


@dataclass(frozen=True, slots=True)
class LastLogin:
    """Hold a login: when, from which network and place. `before` says that it is the one before this session's."""

    at: Moment
    network: str
    place: str
    before: bool


async def get(call: Call) -> Answer:
    """Show who is logged in, and what can be done."""
    account = call.member.account
    factors = await call.flows.factors.list(call.member, call.origin)
    if isinstance(factors, Denied):
        return call.page("account/overview.html", error=factors, due=None, **_values(call, account))
    return call.page("account/overview.html", due=tuple(due(call.settings, account, factors)), **_values(call, account))


def _values(call: Call, account: Account) -> dict[str, Any]:
    name = name_of(account)
    return {
        "name": name,
        "initial": next((letter for letter in name if letter.isalnum()), "").upper(),
        "picture": picture_of(call, account),
        "contacts": [masked(contact) for contact in (account.phone, account.email) if contact],
        "last": last_login(call, account),
    }


def name_of(account: Account) -> str:
    """Return what to call a person: the nickname, a chosen username, or a masked phone or e-mail."""
    chosen = account.username_shown or ""
    if chosen.isdigit() and len(chosen) == _MADE_NAME:
        chosen = ""
    contact = account.phone or account.email
    return plain(account.profile.nickname or chosen) or (masked(contact) if contact else "")


def picture_of(call: Call, account: Account) -> str:
    """Return the address of the person's picture if this server has it, else "": pages load nothing from elsewhere."""
    address = account.profile.avatar_url
    return address if origin_of(address) == own_origin(call.host, secure=call.secure) else ""


def last_login(call: Call, account: Account) -> LastLogin | None:
    """Return the latest login, or the one before if this session is the latest. None if there is none."""
    before = call.member.session.created_at >= account.login_at
    at, ip = (account.previous_login_at, account.previous_login_ip) if before else (account.login_at, account.login_ip)
    said = moment(call.words, at, call.now)
    return LastLogin(said, shortened(ip), "", before) if said else None


def due(settings: PageSettings, account: Account, factors: FactorList) -> Iterator[tuple[str, str]]:
    """List what needs attention: the id of a sentence below `account.`, and where it is mended."""
    if not account.password_hash and settings.allows(Way.PASSWORD):
        yield "no_password", f"{_SECURITY}#password"
    if not account.phone and not account.email:
        yield "no_contact", f"{_SECURITY}#phone"
    if account.phone and not account.phone_verified:
        yield "phone_unverified", f"{_SECURITY}#phone"
    if account.email and not account.email_verified:
        yield "email_unverified", f"{_SECURITY}#email"
    if not factors.factors and not factors.passkeys:
        if factors.allowed:
            yield "no_step", f"{_SECURITY}#step"
    elif not factors.second_step and not factors.required:
        yield "step_off", f"{_SECURITY}#step"
    elif not factors.codes_left:
        yield "no_codes", f"{_SECURITY}#codes"


ROUTES: Final = (Route("GET", "/account", get, "factors.list", Access.PRIVATE),)
