"""List the use cases of accounts: register, look up, change, export, delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from menshen.core.account.accounts import Account
from menshen.core.account.agreements import AgreedTerms, Agreement
from menshen.core.account.asks import Bind, Deletion, Edited, PasswordChange, PasswordReset, ProfileEdit, Registration
from menshen.core.account.export_tickets import ExportTicket
from menshen.core.account.security_links import NotMe, SecurityLink
from menshen.core.audit.export import Export
from menshen.core.audit.own_events import OwnEvent
from menshen.core.gates.captcha import Presented
from menshen.core.identifiers import Identifier, Kind
from menshen.core.outcomes import ActionOutcome
from menshen.core.problems import Denied
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.account.change_identifier import bind
from menshen.flows.account.change_password import change_password
from menshen.flows.account.delete_account import delete_account
from menshen.flows.account.edit_profile import edit_profile
from menshen.flows.account.export import export_own
from menshen.flows.account.lookups import exists, find_account, taken
from menshen.flows.account.own.agreements import agree, agreements
from menshen.flows.account.own.closing import close_account
from menshen.flows.account.own.drop_identifier import drop_identifier
from menshen.flows.account.own.events import list_own_events
from menshen.flows.account.own.exports import fetch_export, list_exports, order_export
from menshen.flows.account.own.first_password import set_password
from menshen.flows.account.own.not_me import find_link, not_me
from menshen.flows.account.register import register
from menshen.flows.account.reset_password import reset_password
from menshen.flows.use_case import served_by


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFlows:
    """Register, look up and change accounts."""

    register: Callable[[Registration, Origin], Awaitable[Edited | Denied]] = field(metadata=served_by(register))
    """Register an account with unverified identifiers. ALREADY_TAKEN and INVALID_REQUEST name the `field`."""
    exists: Callable[[Identifier, Presented | None, Origin], Awaitable[bool | Denied]] = field(
        metadata=served_by(exists)
    )
    """Check whether an account can log in with an identifier. Calls are counted, and later ones need a captcha."""
    taken: Callable[[str, str, int | None, Presented | None, Origin], Awaitable[bool | Denied]] = field(
        metadata=served_by(taken)
    )
    """(field username|phone|nickname, canonical value, account number to ignore) -> whether it is taken. Counted."""
    change_password: Callable[[PasswordChange, Authenticated, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(change_password)
    )
    """Change the caller's password. It needs the old one."""
    reset_password: Callable[[PasswordReset, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(reset_password)
    )
    """Set a new password with a code."""
    bind: Callable[[Bind, Authenticated, Origin], Awaitable[Edited | Denied]] = field(metadata=served_by(bind))
    """Bind a phone or email to the caller's account. It replaces the old one."""
    delete: Callable[[Deletion, Authenticated, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(delete_account)
    )
    """Delete the caller's account for good. The request itself holds the proof."""
    export: Callable[[Authenticated, Origin], Awaitable[Export | Denied]] = field(metadata=served_by(export_own))
    """Return all that is kept about the caller's account."""
    edit_profile: Callable[[ProfileEdit, Authenticated, Origin], Awaitable[Edited | Denied]] = field(
        metadata=served_by(edit_profile)
    )
    """Change the caller's profile fields and username."""
    find: Callable[[str], Awaitable[Account | None]] = field(metadata=served_by(find_account))
    """Public id -> an open account, or None. Only its public fields may be shown."""
    agree: Callable[[Sequence[Agreement], Authenticated, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(agree)
    )
    """Keep that the caller agreed to texts of the app. A version that stands is not written again."""
    agreements: Callable[[Authenticated, Origin], Awaitable[Sequence[AgreedTerms] | Denied]] = field(
        metadata=served_by(agreements)
    )
    """Return to what the caller agreed, the newest first."""
    events: Callable[[Authenticated, Origin], Awaitable[Sequence[OwnEvent] | Denied]] = field(
        metadata=served_by(list_own_events)
    )
    """Return the last 50 events of the caller's account that concern its owner, the newest first."""
    drop: Callable[[Kind, Authenticated, Origin], Awaitable[Edited | Denied]] = field(
        metadata=served_by(drop_identifier)
    )
    """Remove the caller's phone or email, if a proved one stays. It needs a fresh proof."""
    set_password: Callable[[str, Authenticated, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(set_password)
    )
    """Set the first password of an account that has none. It needs a fresh proof."""
    order_export: Callable[[Authenticated, Origin], Awaitable[ExportTicket | Denied]] = field(
        metadata=served_by(order_export)
    )
    """Allow the caller's account to fetch an export for 24 hours. It needs a fresh proof."""
    fetch_export: Callable[[str, Authenticated, Origin], Awaitable[Export | Denied]] = field(
        metadata=served_by(fetch_export)
    )
    """Id of an ordered export -> all that is kept about the caller's account now. 5 times at most."""
    exports: Callable[[Authenticated, Origin], Awaitable[Sequence[ExportTicket] | Denied]] = field(
        metadata=served_by(list_exports)
    )
    """Return the ordered exports that the caller can still fetch, the newest first."""
    close: Callable[[Deletion, int, Authenticated, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(close_account)
    )
    """(proof, days of grace 0 to 30) -> delete the caller's account when they are over. A login takes that back."""
    find_link: Callable[[str, Origin], Awaitable[SecurityLink | Denied]] = field(metadata=served_by(find_link))
    """Secret of a notice's link -> the live link. It changes nothing."""
    not_me: Callable[[str, Origin], Awaitable[NotMe | Denied]] = field(metadata=served_by(not_me))
    """Secret of a notice's link -> all that is open at its account ends, and the old password if a reset can follow."""
