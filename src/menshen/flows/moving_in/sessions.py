"""Import live sessions of another program, each batch in one transaction, so that users stay logged in.

A token is imported only once: a second import does not revive a session that ended here.
(docs/contracts/core.md section 3.3.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from menshen.core.apps import App, SessionRule
from menshen.core.moving_in import Fate, ImportResult, Reason, RecordKind, SessionToImport, left_out
from menshen.core.plain_text import plain
from menshen.core.sessions.sessions import Session, canonical_platform, slot_of
from menshen.core.time import NEVER, Instant
from menshen.core.tokens import TOKEN_BYTES, base32
from menshen.ports.store.imports import Imported, ImportedSession
from menshen.ports.store.store import ReadTx, Store, WriteTx
from menshen.ports.world import World


async def import_sessions(
    batch: Sequence[SessionToImport],
    source: str,
    app: App,
    dialect: str,
    *,
    store: Store,
    world: World,
    beside: ReadTx | None = None,
) -> Sequence[ImportResult]:
    """Import sessions in one transaction. Return the result of each, in their order.

    They become sessions of `dialect` and of `app`, because their own app is not known. They keep their expiry times.
    Each account gets one for each platform. `beside` as in `import_accounts`.
    """
    now = world.now()
    ids = [base32(world.token_bytes(TOKEN_BYTES)) for _ in batch]
    numbers = {ask.source_number for ask in batch}
    tokens = [ask.token for ask in batch]
    came = dict(await beside.imports.known(source, numbers)) if beside else {}
    spent = set(await beside.imports.tokens_known(tokens)) if beside else set()

    async def work(tx: WriteTx) -> Sequence[ImportResult]:
        # A change of a password and a disabled account end sessions. Those that are added must not miss that.
        await tx.imports.hold_accounts(source, numbers)
        known = came | dict(await tx.imports.known(source, numbers))
        before = spent | set(await tx.imports.tokens_known(tokens))
        wanted: dict[str, ImportedSession] = {}
        refused: dict[str, Reason] = {}
        for session_id, ask in zip(ids, batch, strict=True):
            if ask.token in before:
                continue
            before.add(ask.token)
            if reason := _refusal(ask, known, now):
                refused[session_id] = reason
            else:
                session = _session(ask, session_id, known[ask.source_number].number, app, dialect, now)
                forget_at = Instant(max(ask.expires_at, ask.refresh_expires_at))
                wanted[session_id] = ImportedSession(session, ask.token, ask.refresh, forget_at)
        # The newest of a platform comes first, so that older ones are left out instead of stored and replaced.
        newest_first = sorted(wanted.values(), key=lambda each: -each.session.created_at)
        stored = await tx.imports.add_sessions(newest_first)
        told: list[ImportResult] = []
        for session_id, ask in zip(ids, batch, strict=True):
            subject = f"#{ask.source_number}"
            if reason := refused.get(session_id):
                told.append(left_out(RecordKind.SESSION, ask.line, reason, subject))
            elif session_id in wanted and session_id not in stored:
                told.append(left_out(RecordKind.SESSION, ask.line, Reason.NEWER_LOGIN, subject))
            else:
                fate = Fate.TAKEN if session_id in stored else Fate.SEEN_BEFORE
                told.append(ImportResult(RecordKind.SESSION, ask.line, fate, subject=subject))
        return told

    return await store.write(work)


def _refusal(ask: SessionToImport, known: Mapping[int, Imported], now: Instant) -> Reason | None:
    """Return why a session is refused, or None. A password change since the account's import ends older sessions."""
    if now >= ask.expires_at and now >= ask.refresh_expires_at:
        return Reason.EXPIRED
    account = known.get(ask.source_number)
    if account is None:
        return Reason.ACCOUNT_MISSING
    if not account.active:
        return Reason.ACCOUNT_DISABLED
    return Reason.PASSWORD_CHANGED if account.password_changed else None


def _session(ask: SessionToImport, session_id: str, account: int, app: App, dialect: str, now: Instant) -> Session:
    issued_at, platform = Instant(min(ask.issued_at, now)), plain(ask.platform)
    return Session(
        session_id=session_id,
        account_number=account,
        app_id=app.app_id,
        dialect=dialect,
        platform=canonical_platform(platform),
        slot=slot_of(app, SessionRule.ONE_PER_PLATFORM, platform, ""),
        device_id="",
        device_model="",
        device_name="",
        ip="",
        created_at=issued_at,
        seen_at=issued_at,
        # This server saw no proof of identity: a change of phone or email requires one.
        proved_at=NEVER,
        expires_at=ask.expires_at,
        ends_at=ask.expires_at,
        sliding_ms=0,
        refresh_expires_at=ask.refresh_expires_at,
    )
