"""What is asked about the outbox and the audit trail."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from menshen.storage.sql.journal import EVENT_FIELDS
from menshen.storage.sql.statements.compiler import Compiler
from menshen.storage.sql.tables import audit, outbox

_NEVER_AGAIN = 2**62


class JournalStatements:
    """Everything these repositories ask, compiled once."""

    def __init__(self, sql: Compiler) -> None:
        """Compile."""
        o, a = outbox.c, audit.c
        columns = (o.message_id, o.body_sealed, o.sent_at, o.failures)
        now = bindparam("now", type_=o.next_try_at.type)
        one = o.message_id == bindparam("which")
        self.put = sql(
            sql.insert(outbox, *[c.name for c in outbox.columns if c.name != "message_id"]).returning(o.message_id)
        )
        self.newest = sql(select(*columns).order_by(o.message_id.desc()).limit(bindparam("most")))
        self.due = sql(
            select(*columns).where(o.sent_at == 0, o.next_try_at <= now).order_by(o.message_id).limit(bindparam("most"))
        )
        self.claim = sql(
            update(outbox)
            .where(one, o.sent_at == 0, o.next_try_at <= now)
            .values(next_try_at=bindparam("until"))
            .returning(o.message_id)
        )
        self.sent = sql(update(outbox).where(one).values(sent_at=now, next_try_at=_NEVER_AGAIN))
        self.failed = sql(update(outbox).where(one).values(failures=o.failures + 1, next_try_at=bindparam("until")))
        self.append = sql(sql.insert(audit, *EVENT_FIELDS))
        events = select(*[a[name] for name in EVENT_FIELDS])
        since = a.at >= bindparam("since", type_=a.at.type)
        newest = (a.id.desc(),)
        self.events = sql(events.where(since).order_by(*newest).limit(bindparam("most")))
        self.events_of = sql(
            events.where(since, a.account_number == bindparam("account")).order_by(*newest).limit(bindparam("most"))
        )
