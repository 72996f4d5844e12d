"""Keep the audit trail in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from menshen.adapters.storage.changes import Changes
from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.repositories.rows import event_row
from menshen.adapters.storage.sql.statements.reader import Statement, Statements
from menshen.core.audit.events import ALARMS, Event, Tag
from menshen.core.audit.filters import EVERY_EVENT, EventCount, EventFilter

_PAGE: Final = 1000
"""The least number of rows of a page that is filtered further here."""

_END: Final = 2**62
"""A time and a number behind those of every event."""


class AuditStatements(Statements, file="audit"):
    """Declare the statements of `audit.sql`."""

    append: Statement
    newest: Statement
    newest_of_account: Statement
    newest_of_owner: Statement
    newest_of_network: Statement
    newest_of_tag: Statement
    newest_of_request: Statement
    counts: Statement
    counts_of_account: Statement
    counts_of_network: Statement
    counts_of_tag: Statement


class SqlAudit:
    """Implement `menshen.ports.store.audit.Audit` on a connection."""

    def __init__(self, run: Executor, statements: AuditStatements, changes: Changes) -> None:
        """Bind the statements to a connection; `changes` collects the alarms."""
        self._run = run
        self._st = statements
        self._changes = changes

    async def append(self, event: Event) -> None:
        await self._run.run(self._st.append, event_row(event))
        if event.tag in ALARMS:
            self._changes.alarms.append(event.tag)

    async def append_all(self, events: Sequence[Event]) -> None:
        await self._run.many(self._st.append, [event_row(event) for event in events])
        self._changes.alarms += [event.tag for event in events if event.tag in ALARMS]

    async def list_events(self, wanted: EventFilter = EVERY_EVENT, *, limit: int = 1000) -> Sequence[Event]:
        statement = self._newest(wanted)
        values = _values(wanted) | {"before": _END, "before_id": _END, "most": max(limit, _PAGE)}
        found: list[Event] = []
        while len(found) < limit:
            rows = await self._run.all(statement, values)
            events = [Event(Tag(row[1]), *row[2:]) for row in rows]
            found += [event for event in events if wanted.holds(event)]
            if len(rows) < values["most"]:
                break
            values |= {"before": events[-1].at, "before_id": rows[-1][0]}
        return found[:limit][::-1]

    async def list_of_owner(self, account_number: int, tags: Collection[Tag], *, limit: int) -> Sequence[Event]:
        words = " ".join(sorted(tags))
        values = {"account_number": account_number, "tags": f" {words} ", "most": limit}
        rows = await self._run.all(self._st.newest_of_owner, values)
        return [Event(Tag(row[1]), *row[2:]) for row in rows][::-1]

    async def count_events(self, wanted: EventFilter = EVERY_EVENT) -> Sequence[EventCount]:
        rows = await self._run.all(self._counts(wanted), _values(wanted))
        counts = [EventCount(ip, Tag(tag), *more) for ip, tag, *more in rows]
        return [count for count in counts if wanted.holds_ip(count.ip)]

    def _newest(self, wanted: EventFilter) -> Statement:
        """Return the statement of the condition that the fewest events meet."""
        if wanted.request_id:
            return self._st.newest_of_request
        if wanted.account_number is not None:
            return self._st.newest_of_account
        if wanted.network is not None:
            return self._st.newest_of_network
        return self._st.newest_of_tag if wanted.tag is not None else self._st.newest

    def _counts(self, wanted: EventFilter) -> Statement:
        if wanted.account_number is not None:
            return self._st.counts_of_account
        if wanted.network is not None:
            return self._st.counts_of_network
        return self._st.counts_of_tag if wanted.tag is not None else self._st.counts


def _values(wanted: EventFilter) -> dict[str, Any]:
    first, last = wanted.ip_bounds
    return {
        "account_number": wanted.account_number,
        "tag": wanted.tag or "",
        "since": wanted.since or 0,
        "first_ip": first,
        "last_ip": last,
        "request_id": wanted.request_id,
    }
