"""Import the apps, accounts and live sessions of another program as a stream. Memory does not grow with their number.

Each batch is one transaction, with its own entries in a ledger. So an import that was killed continues where it stopped
when it is started again. A second import adds what is new. Must not know any program's format.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from menshen.core.apps import DEFAULT_APP, App
from menshen.core.moving_in import (
    AccountToImport,
    AppToImport,
    Fate,
    ImportResult,
    Reason,
    RecordKind,
    SessionToImport,
    left_out,
)
from menshen.flows.apps.manage import add_app
from menshen.flows.moving_in.accounts import import_accounts
from menshen.flows.moving_in.sessions import import_sessions
from menshen.ports.importing import ImportSource, SourceBroken
from menshen.ports.store.store import ReadTx, Store
from menshen.ports.world import World

BATCH: Final = 500
T = TypeVar("T")


@dataclass(slots=True)
class Report:
    """Hold the results of an import so far: counts of all, and the first `examples` lines of each reason."""

    examples: int = 20
    fates: Counter[tuple[RecordKind, Fate]] = field(default_factory=Counter)
    reasons: Counter[tuple[RecordKind, Fate, Reason]] = field(default_factory=Counter)
    lines: list[ImportResult] = field(default_factory=list)

    def add(self, told: Iterable[ImportResult]) -> None:
        """Count the results."""
        for line in told:
            self.fates[line.kind, line.fate] += 1
            for reason in line.reasons:
                self.reasons[line.kind, line.fate, reason] += 1
            if any(self.reasons[line.kind, line.fate, reason] <= self.examples for reason in line.reasons):
                self.lines.append(line)


async def import_source(
    source: ImportSource,
    name: str,
    dialect: str,
    report: Report,
    *,
    store: Store,
    world: World,
    beside: ReadTx | None = None,
) -> None:
    """Import everything from `source`, which the ledger knows as `name`. Its sessions become sessions of `dialect`.

    `report` is updated after each durable batch, so it is correct even after a failure. `beside` is the real
    installation if `store` is a scratch one. Then only what could be imported there counts as imported.

    Raises:
        SourceBroken: the source cannot be read further, or is another database than `name` stood for before. What was
            read before is imported.
        Problem: UNAVAILABLE.
    """
    ports: dict[str, Any] = {"store": store, "world": world, "beside": beside}
    first = partial(import_accounts, source=name, **ports)
    await _in_batches(source.people(), AccountToImport, first, report, partial(_import_app, source=name, **ports))
    if report.fates.pop((RecordKind.ACCOUNT, Fate.DEFERRED), 0):
        # Only now is the highest number known. The new numbers begin above it.
        again = (record for record in source.people() if isinstance(record, AccountToImport))
        await _in_batches(again, AccountToImport, partial(first, renumber=True), report)
    app = await (beside or store.read).apps.find_by_name(DEFAULT_APP)
    if app is None:
        raise RuntimeError("an installation without its default app")
    last = partial(import_sessions, source=name, app=app, dialect=dialect, **ports)
    await _in_batches(source.sessions(), SessionToImport, last, report)


async def _in_batches(
    records: Iterable[AppToImport | AccountToImport | SessionToImport | ImportResult],
    kind: type[T],
    take: Callable[[Sequence[T]], Awaitable[Sequence[ImportResult]]],
    report: Report,
    take_app: Callable[[AppToImport], Awaitable[ImportResult]] | None = None,
) -> None:
    batch: list[T] = []
    stream = iter(records)
    while True:
        try:
            record = next(stream, None)
        except SourceBroken:
            # The records before the fault are complete.
            report.add(await take(batch))
            raise
        if record is None:
            report.add(await take(batch))
            return
        if isinstance(record, kind):
            batch.append(record)
            if len(batch) >= BATCH:
                report.add(await take(batch))
                batch = []
        elif isinstance(record, ImportResult):
            report.add([record])
        elif isinstance(record, AppToImport) and take_app:
            report.add([await take_app(record)])


async def _import_app(
    ask: AppToImport, *, source: str, store: Store, world: World, beside: ReadTx | None = None
) -> ImportResult:
    """Import an app under its own name, or under a name made of its key if its own is in use or invalid."""
    for there in (store.read, beside):
        known: App | None = await there.apps.find_by_key(ask.appkey) if there else None
        if known is not None:
            if hmac.compare_digest(known.secret.encode(), ask.secret.encode()):
                return ImportResult(RecordKind.APP, ask.line, Fate.SEEN_BEFORE, subject=ask.appkey)
            return left_out(RecordKind.APP, ask.line, Reason.APPKEY_TAKEN, ask.appkey)
    given = {"appkey": ask.appkey, "secret": ask.secret, "captcha": ask.captcha, "disabled": ask.disabled}
    reason = Reason.APPKEY_UNUSABLE
    for name in (ask.name, f"{source}-{ask.appkey}"):
        if beside and await beside.apps.find_by_name(name):
            continue
        made = await add_app(name, given, store=store, world=world)
        if isinstance(made, App):
            return ImportResult(RecordKind.APP, ask.line, Fate.TAKEN, subject=ask.appkey)
        reason = Reason.SECRET_UNUSABLE if made.field == "secret" else Reason.APPKEY_UNUSABLE
    return left_out(RecordKind.APP, ask.line, reason, ask.appkey)
