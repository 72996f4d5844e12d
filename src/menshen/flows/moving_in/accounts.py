"""Import accounts of another program, each batch in one transaction. Accounts imported before are not changed.

An account keeps its number if it is free, because clients know it. An account whose name or number is taken is still
imported, but loses the identifiers that are not verified as its own. (docs/contracts/core.md section 1.2.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from menshen.core.account.accounts import Account, Status, time_ordered_name
from menshen.core.account.profiles import mended
from menshen.core.audit.events import Event, Tag
from menshen.core.identifiers import Identifier, Kind
from menshen.core.login.hash_costs import head_of
from menshen.core.moving_in import AccountToImport, Fate, ImportResult, Reason, RecordKind
from menshen.core.time import Instant
from menshen.core.tokens import TOKEN_BYTES, base32, digest
from menshen.flows.audit.recording import admin_event
from menshen.flows.codes.claims import drop_claims
from menshen.ports.importing import SourceBroken
from menshen.ports.store.imports import Imported
from menshen.ports.store.store import ReadTx, Store, WriteTx
from menshen.ports.world import World

_TRIES: Final = 2
_TAKEN: Final = {"username": Reason.USERNAME_TAKEN, "phone": Reason.PHONE_TAKEN, "email": Reason.EMAIL_TAKEN}
NOTHING: Final[frozenset[str]] = frozenset()


async def import_accounts(
    batch: Sequence[AccountToImport],
    source: str,
    *,
    store: Store,
    world: World,
    renumber: bool = False,
    beside: ReadTx | None = None,
) -> Sequence[ImportResult]:
    """Import accounts in one transaction. Return the result of each, in any order.

    Without `renumber`, accounts whose number is in use are deferred. With it, only those are imported, under new
    numbers. This must come last. `beside` is a second installation whose accounts count as taken, too: in a rehearsal
    `store` is not the real one.

    Raises:
        SourceBroken: one of the numbers was imported before for another account. Nothing of the batch is imported,
            because its tokens would log in to the wrong accounts.
    """
    now = world.now()
    drawn = _settled([_complete(record, world, now) for record in batch])
    numbers = [record.source_number for record in drawn]
    came = dict(await beside.imports.known(source, numbers)) if beside else {}
    met = await beside.imports.taken([record.account for record in drawn]) if beside else [NOTHING] * len(drawn)

    async def work(tx: WriteTx) -> Sequence[ImportResult]:
        # Two imports at once would give an account without a number of its own to each.
        await tx.imports.hold(source)
        known = came | dict(await tx.imports.known(source, numbers))
        told: list[ImportResult] = []
        fresh: list[tuple[AccountToImport, frozenset[str]]] = []
        for record, beside_met in zip(drawn, met, strict=True):
            before = known.get(record.source_number)
            if before is None:
                fresh.append((record, beside_met))
                # The batch may contain a second row with the same number.
                known[record.source_number] = Imported(record.mark, 0, active=True, password_changed=False)
            else:
                told.append(_known(record, before))
        told += await _take_in(tx, fresh, source, now, renumber=renumber)
        return [line for line in told if Reason.RENUMBERED in line.reasons] if renumber else told

    return await store.write(work)


def _complete(record: AccountToImport, world: World, now: Instant) -> AccountToImport:
    """Add a public id, and a username if there is none. Random values are drawn before the transaction.

    What the profile may not hold is replaced or left out, and the report says so.
    """
    profile = mended(record.account.profile)
    account = replace(record.account, public_id=base32(world.token_bytes(TOKEN_BYTES)), profile=profile)
    if profile is not record.account.profile:
        record = replace(record, reasons=(*record.reasons, Reason.PROFILE_MENDED))
    if account.status is not Status.CLOSED and account.username is None:
        account = _renamed(account, now)
    return replace(record, account=account)


def _renamed(account: Account, now: Instant) -> Account:
    """Return the account with a username made of its creation time, its number and its random public id."""
    random_bits = int.from_bytes(digest(account.public_id)[:3])
    name = time_ordered_name(Instant((account.created_at or now) + account.number % 1000), random_bits)
    if name.startswith("-"):
        name = time_ordered_name(now, random_bits)
    return replace(account, username=name, username_shown=name)


def _settled(batch: Sequence[AccountToImport]) -> Sequence[AccountToImport]:
    """Remove an unverified email that another account of the batch has verified. Both would be stored together."""
    proved = {record.account.email for record in batch if record.account.email_verified}
    return [
        replace(record, account=replace(record.account, email=None), reasons=(*record.reasons, Reason.EMAIL_TAKEN))
        if record.account.email in proved and record.account.email and not record.account.email_verified
        else record
        for record in batch
    ]


def _known(record: AccountToImport, before: Imported) -> ImportResult:
    if before.mark != record.mark:
        raise SourceBroken(
            f"line {record.line}: number {record.source_number} came in before as somebody else's account: "
            "what comes from another database must come in under another name"
        )
    if Reason.DELETED in record.reasons:
        return _told(record, Fate.LEFT_OUT)
    return ImportResult(RecordKind.ACCOUNT, record.line, Fate.SEEN_BEFORE, (), record.subject, before.number or None)


def _told(record: AccountToImport, fate: Fate, *more: Reason, number: int | None = None) -> ImportResult:
    return ImportResult(RecordKind.ACCOUNT, record.line, fate, (*record.reasons, *more), record.subject, number)


async def _take_in(
    tx: WriteTx,
    fresh: Sequence[tuple[AccountToImport, frozenset[str]]],
    source: str,
    now: Instant,
    *,
    renumber: bool,
) -> Sequence[ImportResult]:
    """Store the new accounts, add them to the import ledger, and audit each."""
    if not fresh:
        return []
    await tx.imports.reserve_numbers(max(record.source_number for record, _ in fresh))
    events: list[Event] = []
    # Nearly all accounts collide with no other, and are stored in one call.
    easy = [] if renumber else [record.account for record, met in fresh if not met]
    for email in await tx.imports.claimed([a.email for a in easy if a.email and a.email_verified]):
        await drop_claims(tx, Identifier(Kind.EMAIL, email), None, now, reason="import")
    stored: Mapping[str, int] = await tx.imports.add_accounts(easy)
    told: list[ImportResult] = []
    entries: dict[int, tuple[int, int]] = {}
    for record, met in fresh:
        if (number := stored.get(record.account.public_id)) is not None:
            line = _told(record, Fate.TAKEN, number=number)
        else:
            line = await _place(tx, record, met, now, renumber=renumber)
        if line.number is not None:
            entries[record.source_number] = (record.mark, line.number)
            retired = Reason.DELETED in line.reasons
            reason = "deleted" if retired else source
            events.append(
                admin_event(Tag.ACCOUNT_IMPORTED, now, account=line.number, shown=record.subject, reason=reason)
            )
            if retired:
                line = _told(record, Fate.LEFT_OUT)
        told.append(line)
    await tx.imports.note(source, entries)
    # Noted in the transaction that stores the hashes, so that no login is checked against a hash of unknown cost.
    await tx.hash_heads.note({head_of(record.account.password_hash) for record, _ in fresh} - {""}, now)
    await tx.audit.append_all(events)
    return told


async def _place(
    tx: WriteTx,
    record: AccountToImport,
    beside_met: frozenset[str],
    now: Instant,
    *,
    renumber: bool,
) -> ImportResult:
    """Store an account that collides with another, without the values that collide."""
    reasons: list[Reason] = []
    account = record.account
    for _ in range(_TRIES):
        met = (await tx.imports.taken([account]))[0] | beside_met
        if "number" in met and account.status is Status.CLOSED:
            return _told(record, Fate.LEFT_OUT)
        if account.number and ("number" in met) is not renumber:
            # It is deferred until the others are imported, or the first pass has imported it already.
            return ImportResult(RecordKind.ACCOUNT, record.line, Fate.DEFERRED, subject=record.subject)
        if "number" in met:
            reasons.append(Reason.RENUMBERED)
        account = _without(account, met, now)
        reasons += [reason for field, reason in _TAKEN.items() if field in met]
        for kind, value, proved in (
            (Kind.PHONE, account.phone, account.phone_verified),
            (Kind.EMAIL, account.email, account.email_verified),
        ):
            if value and proved:
                await drop_claims(tx, Identifier(kind, value), None, now, reason="import")
        stored = await tx.imports.add_accounts([account])
        if stored:
            return _told(record, Fate.TAKEN, *dict.fromkeys(reasons), number=stored[account.public_id])
        # A concurrent registration took one of the values, so they are checked again.
        beside_met = NOTHING
    return _told(record, Fate.LEFT_OUT, *dict.fromkeys(reasons), Reason.COLLISION)


def _without(account: Account, met: frozenset[str], now: Instant) -> Account:
    if "username" in met:
        account = _renamed(account, now)
    if "phone" in met:
        account = replace(account, phone=None, phone_verified=False)
    if "email" in met:
        account = replace(account, email=None, email_verified=False)
    return replace(account, number=0) if "number" in met else account
