"""Garbage and epochs in SQL. Nothing here decides: every row swept was already dead by its own instants."""

from __future__ import annotations

from sqlalchemy import Column, Table, bindparam, delete, select, tuple_, update
from sqlalchemy.sql.elements import BindParameter, ColumnElement

from menshen.core.sessions import REUSE_GRACE
from menshen.core.time import DAY, MINUTE, Instant
from menshen.storage.sql.compiling import Compiler, Executor, Statement
from menshen.storage.sql.tables import (
    audit,
    captcha_images,
    captcha_nonces,
    captcha_passes,
    codes,
    counters,
    imported_tokens,
    installation,
    outbox,
    quota_uses,
    sessions,
    sms_traffic,
    spent_refreshes,
)

# A thief may keep a spent refresh as long as a live one lasts; afterwards it tells nothing any more.
SPENT_MEMORY = 31 * DAY + REUSE_GRACE
OUTBOX_MEMORY = 7 * DAY
TRAFFIC_DAYS = 31
# A spent captcha that is forgotten by the node whose clock is ahead must not be taken again by one that is behind.
CLOCKS_APART = 5 * MINUTE


class UpkeepStatements:
    """Everything this repository asks, compiled once."""

    def __init__(self, sql: Compiler) -> None:
        """Compile."""
        before: BindParameter[int] = bindparam("before")
        most: BindParameter[int] = bindparam("most")

        def old(table: Table, key: Column[int], dead: ColumnElement[bool]) -> Statement:
            doomed = select(key).where(dead).limit(most).scalar_subquery()
            return sql(delete(table).where(key.in_(doomed)))

        s = sessions.c
        expiring = (
            (captcha_nonces, "nonce"),
            (captcha_passes, "digest"),
            (captcha_images, "digest"),
            (imported_tokens, "digest"),
            (counters, "key"),
        )
        self.by_expiry = [old(table, table.c[key], table.c.expires_at <= before) for table, key in expiring]
        self.by_expiry.append(old(quota_uses, quota_uses.c.id, quota_uses.c.expires_at <= before))
        c, o = codes.c, outbox.c
        doomed = select(c.app_id, c.purpose, c.subject).where(c.expires_at <= before).limit(most)
        self.codes = sql(delete(codes).where(tuple_(c.app_id, c.purpose, c.subject).in_(doomed)))
        self.sessions = old(
            sessions,
            s.session_id,
            (s.expires_at <= before) & (s.refresh_expires_at <= bindparam("before", type_=s.expires_at.type)),
        )
        self.spent = old(spent_refreshes, spent_refreshes.c.digest, spent_refreshes.c.spent_at <= before)
        # What could not be sent in all that time is given up too: a code in it has long expired.
        given_up = (o.sent_at == 0) & (o.failures > 0) & (o.created_at <= before)
        self.outbox = old(outbox, o.message_id, ((o.sent_at > 0) & (o.sent_at <= before)) | given_up)
        self.traffic = sql(delete(sms_traffic).where(sms_traffic.c.day <= before))
        self.audit = old(audit, audit.c.id, audit.c.at <= before)
        self.epoch = sql(
            update(installation)
            .where(installation.c.id == 1)
            .values(epoch=installation.c.epoch + 1)
            .returning(installation.c.epoch)
        )
        self.forget = [
            sql(delete(table)) for table in (sessions, spent_refreshes, codes, captcha_passes, captcha_images)
        ]


class SqlUpkeep:
    """`menshen.ports.store.Upkeep` on a connection."""

    def __init__(self, run: Executor, statements: UpkeepStatements) -> None:
        """Bind the statements to a connection."""
        self._run = run
        self._st = statements

    async def sweep(self, now: Instant, *, audit_days: int, batch: int) -> int:
        st = self._st
        jobs = [
            *((statement, now - CLOCKS_APART) for statement in st.by_expiry),
            (st.codes, now - DAY),
            (st.sessions, now - DAY),
            (st.spent, now - SPENT_MEMORY),
            (st.outbox, now - OUTBOX_MEMORY),
            (st.audit, now - audit_days * DAY),
            (st.traffic, now // DAY - TRAFFIC_DAYS),
        ]
        gone = 0
        for statement, before in jobs:
            gone += await self._run.run(statement, {"before": before, "most": batch})
        return gone

    async def raise_epoch(self) -> int:
        row = await self._run.one(self._st.epoch, {})
        for statement in self._st.forget:
            await self._run.run(statement, {})
        return int(row[0]) if row else 0
