"""List the use cases of second factors: enrol, prove and remove them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from menshen.core.factors.asks import Enrolment, IdentityProof, NewPasskey, StepSwitch
from menshen.core.factors.outcomes import Begun, Enrolled, FactorList, RecoveryCodes
from menshen.core.factors.passkeys import PublicKeyOptions
from menshen.core.login.outcomes import LoginOutcome
from menshen.core.outcomes import ActionOutcome
from menshen.core.problems import Denied
from menshen.core.rules import Origin
from menshen.core.sessions.outcomes import Authenticated
from menshen.flows.factors.enrol import begin_factor, confirm_factor, remove_factor
from menshen.flows.factors.enrol_by_ticket import (
    add_passkey_by_ticket,
    begin_by_ticket,
    confirm_by_ticket,
    passkey_options_by_ticket,
)
from menshen.flows.factors.lists import list_factors
from menshen.flows.factors.passkeys import add_passkey, new_passkey_options, remove_passkey, rename_passkey
from menshen.flows.factors.prove import prove_identity, prove_options
from menshen.flows.factors.recovery import make_recovery_codes, switch_second_step
from menshen.flows.factors.trusted import end_all_trusted, end_trusted
from menshen.flows.use_case import served_by


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorFlows:
    """Enrol, prove and remove second factors, in a session or by the ticket of a login that must have one."""

    list: Callable[[Authenticated, Origin], Awaitable[FactorList | Denied]] = field(metadata=served_by(list_factors))
    """List the factors, passkeys, recovery codes and trusted devices of the caller."""
    begin: Callable[[str, Authenticated, Origin], Awaitable[Begun | Denied]] = field(metadata=served_by(begin_factor))
    """Begin to enrol a factor, for 10 minutes."""
    confirm: Callable[[Enrolment, Authenticated, Origin], Awaitable[Enrolled | Denied]] = field(
        metadata=served_by(confirm_factor)
    )
    """Confirm a begun factor by its first proof, which is used up by it."""
    remove: Callable[[str, Authenticated, Origin], Awaitable[ActionOutcome]] = field(metadata=served_by(remove_factor))
    """Remove a factor."""
    new_passkey_options: Callable[[Authenticated, Origin], Awaitable[PublicKeyOptions | Denied]] = field(
        metadata=served_by(new_passkey_options)
    )
    """Return the creation options."""
    add_passkey: Callable[[NewPasskey, Authenticated, Origin], Awaitable[Enrolled | Denied]] = field(
        metadata=served_by(add_passkey)
    )
    """Register a passkey."""
    rename_passkey: Callable[[str, str, Authenticated, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(rename_passkey)
    )
    """Rename a passkey of the caller."""
    remove_passkey: Callable[[str, Authenticated, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(remove_passkey)
    )
    """Remove a passkey of the caller."""
    make_recovery_codes: Callable[[Authenticated, Origin], Awaitable[RecoveryCodes | Denied]] = field(
        metadata=served_by(make_recovery_codes)
    )
    """Make a new set of ten codes in place of the old one."""
    switch_second_step: Callable[[StepSwitch, Authenticated, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(switch_second_step)
    )
    """Turn the second step on or off."""
    prove_options: Callable[[Authenticated, Origin], Awaitable[PublicKeyOptions | Denied]] = field(
        metadata=served_by(prove_options)
    )
    """Return the request options for the passkeys of the caller."""
    prove: Callable[[IdentityProof, Authenticated, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(prove_identity)
    )
    """Judge a proof, and note it in the session: changes are then allowed for 10 minutes."""
    end_trusted: Callable[[str, Authenticated, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(end_trusted)
    )
    """End one trusted device of the caller."""
    end_all_trusted: Callable[[Authenticated, Origin], Awaitable[ActionOutcome]] = field(
        metadata=served_by(end_all_trusted)
    )
    """End all trusted devices of the caller."""
    begin_by_ticket: Callable[[str, str, str, Origin], Awaitable[Begun | Denied]] = field(
        metadata=served_by(begin_by_ticket)
    )
    """Begin to enrol a factor."""
    confirm_by_ticket: Callable[[Enrolment, str, Origin], Awaitable[LoginOutcome]] = field(
        metadata=served_by(confirm_by_ticket)
    )
    """Confirm the factor, and complete the login."""
    passkey_options_by_ticket: Callable[[str, str, Origin], Awaitable[PublicKeyOptions | Denied]] = field(
        metadata=served_by(passkey_options_by_ticket)
    )
    """Return the creation options."""
    add_passkey_by_ticket: Callable[[NewPasskey, str, Origin], Awaitable[LoginOutcome]] = field(
        metadata=served_by(add_passkey_by_ticket)
    )
    """Register a passkey, and complete the login."""
