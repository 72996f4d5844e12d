"""Judge and finish a change of factors: what every such change does. (docs/contracts/factors.md sections 7 and 10.)"""

from __future__ import annotations

from menshen.core.account.accounts import Account
from menshen.core.apps import App
from menshen.core.audit.events import Tag
from menshen.core.delivery.messages import Template
from menshen.core.factors.enrolment import has_way_in, is_listed, keeps_last
from menshen.core.factors.proofs import Factor
from menshen.core.factors.recovery_codes import HOW_MANY, RANDOM_BYTES, mac_of, read_code, spell_code
from menshen.core.keys import Keyring
from menshen.core.policy import Policy
from menshen.core.problems import Denied, ProblemCode
from menshen.core.rules import Origin
from menshen.core.time import Instant
from menshen.flows.account.notices import notify
from menshen.flows.audit.recording import event_by, event_of
from menshen.flows.sessions.manage import end_all_sessions
from menshen.ports.store.store import WriteTx
from menshen.ports.world import World


async def finish_change(
    tx: WriteTx,
    account: Account,
    origin: Origin | None,
    tag: Tag,
    template: Template | None,
    *,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
    reason: str = "",
    keep_session: str | None = None,
    second_step: bool | None = None,
    detail: str = "",
) -> None:
    """Raise the version of a held account's factors, end its other sessions, append the event, and notify the owner.

    All sessions but `keep_session` end, with all pending logins and trusted devices. `second_step` turns it on or off.
    The notice goes to each proved phone and email. `origin` is None for an administrator.
    """
    await tx.accounts.change_factors(account.number, now=now, second_step=second_step)
    await end_all_sessions(tx, account.number, origin, now, reason="factor_changed", except_id=keep_session)
    await tx.audit.append(event_by(origin, tag, now, account=account.number, reason=reason))
    if template is not None:
        await notify(tx, account.proved, template, now, origin=origin, keyring=keyring, policy=policy, detail=detail)


def draw_codes(world: World) -> tuple[str, ...]:
    """Draw a set of recovery codes as people see them. Draw it before the transaction, which may run twice."""
    return tuple(spell_code(world.token_bytes(RANDOM_BYTES)) for _ in range(HOW_MANY))


async def keep_codes(
    tx: WriteTx, account_number: int, codes: tuple[str, ...], *, keyring: Keyring, now: Instant
) -> None:
    """Store a set of drawn codes in place of the old one."""
    macs = [mac_of(keyring, account_number, read_code(code) or "") for code in codes]
    await tx.recovery_codes.replace(account_number, macs, now)


async def first_codes(
    tx: WriteTx, account: Account, app: App, codes: tuple[str, ...], *, keyring: Keyring, now: Instant
) -> tuple[str, ...]:
    """Store a set of drawn codes beside a new factor, if the account has no unused code. Return what its owner sees.

    An app that does not list recovery codes gives none.
    """
    if not is_listed(app, Factor.RECOVERY) or await tx.recovery_codes.left(account.number):
        return ()
    await keep_codes(tx, account.number, codes, keyring=keyring, now=now)
    return codes


async def has_factor(tx: WriteTx, account_number: int) -> bool:
    """Return whether the account has a passkey, or a confirmed factor of a plug-in."""
    if any(stored.sealed for stored in await tx.factors.list_of(account_number)):
        return True
    return bool(await tx.passkeys.list_of(account_number))


async def judge_removal(
    tx: WriteTx, account: Account, app: App, *, kind: str = "", passkey_id: str = ""
) -> Denied | None:
    """Judge behind the account's lock whether it may lose a factor: one of a plug-in, or a passkey.

    Denied: FORBIDDEN, if the app or a role asks for the last factor, or if no way in would remain (MF-14).
    """
    passkeys = [each for each in await tx.passkeys.list_of(account.number) if each.passkey_id != passkey_id]
    factors = [each for each in await tx.factors.list_of(account.number) if each.sealed and each.kind != kind]
    if not passkeys and not factors and keeps_last(app, account):
        return Denied(ProblemCode.FORBIDDEN)
    return None if has_way_in(account, passkeys) else Denied(ProblemCode.FORBIDDEN)


async def finish_removal(
    tx: WriteTx,
    account: Account,
    origin: Origin,
    kind: str,
    *,
    keyring: Keyring,
    policy: Policy,
    now: Instant,
    keep_session: str,
) -> None:
    """Finish the removal of a factor of a held account, as `finish_change` does.

    With the last one, the recovery codes go and the second step is off.
    """
    lost_all = not await has_factor(tx, account.number)
    if lost_all:
        await tx.recovery_codes.remove_all(account.number)
    await finish_change(
        tx,
        account,
        origin,
        Tag.FACTOR_REMOVED,
        Template.FACTOR_REMOVED,
        keyring=keyring,
        policy=policy,
        now=now,
        reason=kind,
        keep_session=keep_session,
        second_step=False if lost_all else None,
    )
    if lost_all and account.second_step:
        await tx.audit.append(
            event_of(Tag.SECOND_STEP_OFF, origin, now, account=account.number, reason="last_factor_removed")
        )
