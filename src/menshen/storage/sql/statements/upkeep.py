"""What is asked to clear away what is dead."""

from __future__ import annotations

from sqlalchemy import Column, Table, bindparam, delete, select, tuple_, update
from sqlalchemy.sql.elements import BindParameter, ColumnElement

from menshen.storage.sql.compiling import Statement
from menshen.storage.sql.statements.compiler import Compiler
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
