"""The repositories of one connection, made on first use from statements compiled once."""

from __future__ import annotations

from functools import cached_property

from menshen.ports.sealing import Sealer
from menshen.storage.sql.accounts import AccountStatements, SqlAccounts
from menshen.storage.sql.captchas import CaptchaStatements, SqlCaptchas
from menshen.storage.sql.codes import CodeStatements, SqlCodes
from menshen.storage.sql.compiling import Compiler, Executor
from menshen.storage.sql.counters import CounterStatements, SqlCounters
from menshen.storage.sql.directory import DirectoryStatements, SqlApps, SqlDevices
from menshen.storage.sql.importing import ImportStatements, SqlImports
from menshen.storage.sql.journal import JournalStatements, SqlAudit, SqlOutbox
from menshen.storage.sql.sessions import SessionStatements, SqlSessions
from menshen.storage.sql.traffic import SqlTraffic, TrafficStatements
from menshen.storage.sql.upkeep import SqlUpkeep, UpkeepStatements


class Prepared:
    """Every statement of the program, compiled for one database."""

    def __init__(self, sql: Compiler, sealer: Sealer) -> None:
        """Compile them all: a mistake shows at start, not at the first login."""
        self.sealer = sealer
        self.accounts = AccountStatements(sql)
        self.sessions = SessionStatements(sql)
        self.codes = CodeStatements(sql)
        self.captchas = CaptchaStatements(sql)
        self.counters = CounterStatements(sql)
        self.directory = DirectoryStatements(sql)
        self.journal = JournalStatements(sql)
        self.imports = ImportStatements(sql)
        self.traffic = TrafficStatements(sql)
        self.upkeep = UpkeepStatements(sql)


class SqlTx:
    """`ReadTx` and `WriteTx` of `menshen.ports.store`; which of the two is decided by who hands it out."""

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
    def upkeep(self) -> SqlUpkeep:
        return SqlUpkeep(self._run, self._prepared.upkeep)
