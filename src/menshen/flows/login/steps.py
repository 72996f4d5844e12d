"""Ask for a second step: write a pending login in place of a session. Only `finish_login` decides that.

(docs/contracts/factors.md sections 2, 3, 8 and 9.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from menshen.core.account.accounts import Account
from menshen.core.apps import App
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.pending import LIFETIME, MOST_LIVE, PendingLogin
from menshen.core.factors.proofs import BY_PASSWORD, Factor, Method, Proof, is_required_for
from menshen.core.gates.limits import Claim, Hit, Quota, Tally
from menshen.core.identifiers import masked
from menshen.core.keys import Keyring
from menshen.core.login.outcomes import StepNeeded
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import DAY, HOUR, NEVER, Instant, after
from menshen.core.tokens import digest
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import event_of
from menshen.flows.gates.known_origin import device_digest, how_known
from menshen.ports.store.store import ReadTx, WriteTx


@dataclass(frozen=True, slots=True)
class Trust:
    """Hold the next token of a trusted device and its end, or "" and 0 for a device that is not trusted."""

    token: str = field(repr=False)
    until: Instant


NO_TRUST: Final = Trust("", NEVER)


async def use_trust(tx: WriteTx, account: Account, origin: Origin, proof: Proof, fresh: str, now: Instant) -> Trust:
    """Replace the token of a trusted device by `fresh`, if the request has one and it stands for the step.

    It stands for the step after a password alone, and never where a role requires two proofs. A token that was replaced
    before revokes its device.
    """
    if not (fresh and origin.step.trust and origin.app.trusted_days) or proof != BY_PASSWORD:
        return NO_TRUST
    if is_required_for(origin.app, account):
        return NO_TRUST
    token = digest(origin.step.trust)
    used = await tx.trusted_devices.use(
        token,
        digest(fresh),
        account_number=account.number,
        app_id=origin.app.app_id,
        device=step_device(origin),
        now=now,
    )
    if used is not None:
        return Trust(fresh, used.expires_at)
    if revoked := await tx.trusted_devices.revoke_spent(token):
        await tx.audit.append(event_of(Tag.TRUST_REVOKED, origin, now, account=revoked[1], reason="spent_token"))
    return NO_TRUST


def step_device(origin: Origin) -> bytes:
    """Return the digest of the request's device id, b"" for none. Pending logins and trusted devices belong to it."""
    return device_digest(origin.device.device_id) if origin.device.device_id else b""


async def usable_factors(tx: ReadTx | WriteTx, account: Account, app: App, proof: Proof) -> tuple[str, ...]:
    """Return the factors that may complete a login after `proof`, the strongest first.

    Of those that the account has, the app may allow some. Where it allows none of them, each of them is better than a
    login without. A code by SMS is none after an SMS: it is the same phone twice.
    (docs/contracts/factors.md section 1.)
    """
    own = []
    if await tx.passkeys.list_of(account.number):
        own.append(str(Factor.PASSKEY))
    own += [stored.kind for stored in await tx.factors.list_of(account.number) if stored.sealed]
    allowed = app.factors.split()
    usable = [each for each in own if each in allowed] or own
    if app.sms_step and account.phone and account.phone_verified and Method.SMS not in proof.methods:
        usable.append(Factor.SMS)
    if usable and await tx.recovery_codes.left(account.number):
        usable.append(Factor.RECOVERY)
    return tuple(usable)


def tickets_key(keyring: Keyring, account_number: int) -> bytes:
    """Return the counter of pending logins that strangers to the account opened. A completed one is refunded."""
    return keyring.counter_key(Tally.TICKETS_ACCOUNT, str(account_number))


async def ask_for_step(
    tx: WriteTx,
    account: Account,
    origin: Origin,
    ticket: str,
    proof: Proof,
    *,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
    began: str,
    platform: str,
    counted: Sequence[bytes],
) -> StepNeeded | Denied:
    """Write a pending login for a held account, refund the attempt, and audit it.

    `ticket` is a new random text. Denied: TOO_MANY_REQUESTS, for devices and networks that the account does not know.
    """
    await tx.counters.forgive(counted)
    if not await how_known(tx.devices, account, origin):
        key, most = tickets_key(keyring, account.number), policy.limits.tickets_per_account
        (count,) = await tx.counters.hit([Hit(key, HOUR, most)], now)
        if count.tries > most:
            await tx.counters.forgive([key])
            await tx.audit.append(
                event_of(Tag.LOGIN_REFUSED, origin, now, account=account.number, reason="too_many_tickets")
            )
            return Denied(ProblemCode.TOO_MANY_REQUESTS, count.retry_after(now))
    methods = await usable_factors(tx, account, origin.app, proof)
    phone = account.phone if account.phone and account.phone_verified else ""
    gated = not methods and Method.PASSWORD in proof.methods and phone != ""
    pending = PendingLogin(
        ticket=digest(ticket),
        account_number=account.number,
        app_id=origin.app.app_id,
        dialect=origin.rules.dialect,
        platform=platform,
        began=began,
        methods=str(proof),
        password_version=account.password_version,
        factors_version=account.factors_version,
        network=origin.network,
        device=step_device(origin),
        in_browser=int(origin.step.browser),
        replaces=origin.presented,
        cookie=origin.cookie,
        enroll=int(not methods),
        phone_due=int(gated),
        created_at=now,
        expires_at=after(now, LIFETIME),
    )
    await tx.pending_logins.add(pending, most=MOST_LIVE)
    await tx.audit.append(event_of(Tag.LOGIN_STEP_NEEDED, origin, now, account=account.number, reason=began))
    return StepNeeded(
        ticket,
        methods,
        pending.expires_at,
        enroll=not methods,
        allowed=() if methods else tuple(kind for kind in origin.app.factors.split() if kind != Factor.RECOVERY),
        phone=masked(phone) if gated else "",
        cookie=keyring.step_cookie(ticket) if origin.step.browser else "",
    )


async def note_grace(
    tx: WriteTx, account: Account, origin: Origin, now: Instant, *, keyring: Keyring, policy: Policy
) -> None:
    """Remind the owner to enrol a factor before the app's time is over: a notice to each proved channel, once a day."""
    key = keyring.counter_key(Quota.GRACE_ACCOUNT_DAY, str(account.number))
    if await tx.counters.charge([Claim(key, 1, DAY)], now) is None:
        await notify(tx, account.proved, Template.FACTOR_DUE, now, origin=origin, keyring=keyring, policy=policy)
