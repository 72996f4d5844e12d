"""The repositories of one connection, made on first use from statements compiled once."""

from __future__ import annotations

from functools import cached_property

from menshen.storage.sql.accounts import SqlAccounts
from menshen.storage.sql.captchas import SqlCaptchas
from menshen.storage.sql.codes import SqlCodes
from menshen.storage.sql.compiling import Executor
from menshen.storage.sql.counters import SqlCounters
from menshen.storage.sql.directory import SqlApps, SqlDevices
from menshen.storage.sql.hash_heads import SqlHashHeads
from menshen.storage.sql.importing import SqlImports
from menshen.storage.sql.journal import SqlAudit, SqlOutbox
from menshen.storage.sql.prepared import Prepared
from menshen.storage.sql.sessions import SqlSessions
from menshen.storage.sql.traffic import SqlTraffic
from menshen.storage.sql.upkeep import SqlUpkeep


class SqlTx:
    """`ReadTx` and `WriteTx` of `menshen.ports.store.store`; which of the two is decided by who hands it out."""

    def __init__(self, run: Executor, prepared: Prepared) -> None:
        """Bind the prepared statements to a connection."""
        self._run = run
        self._prepared = prepared

    @cached_property
    def accounts(self) -> SqlAccounts:
        return SqlAccounts(self._run, self._prepared.accounts)

    @cached_property
    def sessions(self) -> SqlSessions:
        return SqlSessions(self._run, self._prepared.sessions)

    @cached_property
    def codes(self) -> SqlCodes:
        return SqlCodes(self._run, self._prepared.codes)

    @cached_property
    def captchas(self) -> SqlCaptchas:
        return SqlCaptchas(self._run, self._prepared.captchas)

    @cached_property
    def counters(self) -> SqlCounters:
        return SqlCounters(self._run, self._prepared.counters)

    @cached_property
    def devices(self) -> SqlDevices:
        return SqlDevices(self._run, self._prepared.directory)

    @cached_property
    def apps(self) -> SqlApps:
        return SqlApps(self._run, self._prepared.directory, self._prepared.sealer)

    @cached_property
    def outbox(self) -> SqlOutbox:
        return SqlOutbox(self._run, self._prepared.journal, self._prepared.sealer)

    @cached_property
    def audit(self) -> SqlAudit:
        return SqlAudit(self._run, self._prepared.journal)

    @cached_property
    def traffic(self) -> SqlTraffic:
        return SqlTraffic(self._run, self._prepared.traffic)

    @cached_property
    def imports(self) -> SqlImports:
        return SqlImports(self._run, self._prepared.imports)

    @cached_property
    def hash_heads(self) -> SqlHashHeads:
        return SqlHashHeads(self._run, self._prepared.hash_heads)

    @cached_property
    def upkeep(self) -> SqlUpkeep:
        return SqlUpkeep(self._run, self._prepared.upkeep)
