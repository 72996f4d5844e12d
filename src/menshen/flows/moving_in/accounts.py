"""Accounts of another program come in, a batch to a transaction. What came in before is left as it is here.

An account keeps its number when nobody has it; clients know it. Who meets another in a name or number
loses what is not proved to be theirs, never the account. (docs/contracts/core.md section 1.2.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from menshen.core.account.accounts import Account, Status, time_ordered_name
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
    """What became of each, in any order. One transaction.

    `renumber` False defers those whose number is in use; True takes in those and no others, under new numbers, and
    must come last. `beside` is an installation that must not have them either (a rehearsal writes elsewhere).

    Raises:
        SourceBroken: one of the numbers came in before as somebody else's. Nothing of the batch has come in: their
            tokens would log in to the wrong accounts.
    """
    now = world.now()
    drawn = _settled([_complete(record, world, now) for record in batch])
    numbers = [record.source_number for record in drawn]
    came = dict(await beside.imports.known(source, numbers)) if beside else {}
    met = await beside.imports.taken([record.account for record in drawn]) if beside else [NOTHING] * len(drawn)

    async def work(tx: WriteTx) -> Sequence[ImportResult]:
        known = came | dict(await tx.imports.known(source, numbers))
        told: list[ImportResult] = []
        fresh: list[tuple[AccountToImport, frozenset[str]]] = []
        for record, beside_met in zip(drawn, met, strict=True):
            before = known.get(record.source_number)
            if before is None:
                fresh.append((record, beside_met))
                # A second row of the same number, in this batch.
                known[record.source_number] = Imported(record.mark, 0, active=True, password_changed=False)
            else:
                told.append(_known(record, before))
        told += await _take_in(tx, fresh, source, now, renumber=renumber)
        return [line for line in told if Reason.RENUMBERED in line.reasons] if renumber else told

    return await store.write(work)


def _complete(record: AccountToImport, world: World, now: Instant) -> AccountToImport:
    """With a public id, and a name when it came without one; whatever is random is drawn before the transaction."""
    account = replace(record.account, public_id=base32(world.token_bytes(TOKEN_BYTES)))
    if account.status is not Status.CLOSED and account.username is None:
        account = _renamed(account, now)
    return replace(record, account=account)


def _renamed(account: Account, now: Instant) -> Account:
    """Under a name made of its time, its number and its random public id."""
    random_bits = int.from_bytes(digest(account.public_id)[:3])
    name = time_ordered_name(Instant((account.created_at or now) + account.number % 1000), random_bits)
    if name.startswith("-"):
        name = time_ordered_name(now, random_bits)
    return replace(account, username=name, username_shown=name)


def _settled(batch: Sequence[AccountToImport]) -> Sequence[AccountToImport]:
    """Claims to an email that another of the batch has proved are dropped here: they would come in together."""
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
    """Store them, enter them in the ledger, and audit each."""
    if not fresh:
        return []
    await tx.imports.reserve_numbers(max(record.source_number for record, _ in fresh))
    events: list[Event] = []
    # Nearly all meet nobody: those go in at once.
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
    # With the hashes themselves: no login is judged by one whose cost is not known of.
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
    """Store one that meets somebody, without what it meets them in."""
    reasons: list[Reason] = []
    account = record.account
    for _ in range(_TRIES):
        met = (await tx.imports.taken([account]))[0] | beside_met
        if "number" in met and account.status is Status.CLOSED:
            return _told(record, Fate.LEFT_OUT)
        if account.number and ("number" in met) is not renumber:
            # It waits for the others, or it is one of those that had their turn.
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
        # Somebody registered in this very moment.
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
