"""Hold the repositories of one connection, made on first use, and the statements of all of them."""

from __future__ import annotations

from functools import cached_property

from menshen.adapters.storage.changes import Changes
from menshen.adapters.storage.sql.repositories.accounts import AccountStatements, SqlAccounts
from menshen.adapters.storage.sql.repositories.apps import AppStatements, SqlApps
from menshen.adapters.storage.sql.repositories.audit import AuditStatements, SqlAudit
from menshen.adapters.storage.sql.repositories.captchas import CaptchaStatements, SqlCaptchas
from menshen.adapters.storage.sql.repositories.codes import CodeStatements, SqlCodes
from menshen.adapters.storage.sql.repositories.counters import CounterStatements, SqlCounters
from menshen.adapters.storage.sql.repositories.devices import DeviceStatements, SqlDevices
from menshen.adapters.storage.sql.repositories.executor import Executor
from menshen.adapters.storage.sql.repositories.hash_heads import HashHeadStatements, SqlHashHeads
from menshen.adapters.storage.sql.repositories.imports import ImportStatements, SqlImports
from menshen.adapters.storage.sql.repositories.outbox import OutboxStatements, SqlOutbox
from menshen.adapters.storage.sql.repositories.owner.agreements import AgreementStatements, SqlAgreements
from menshen.adapters.storage.sql.repositories.owner.export_tickets import ExportTicketStatements, SqlExportTickets
from menshen.adapters.storage.sql.repositories.owner.security_links import SecurityLinkStatements, SqlSecurityLinks
from menshen.adapters.storage.sql.repositories.pages.app_pages import AppPagesStatements, SqlAppPages
from menshen.adapters.storage.sql.repositories.proofs.factors import (
    FactorStatements,
    RecoveryCodeStatements,
    SqlFactors,
    SqlRecoveryCodes,
)
from menshen.adapters.storage.sql.repositories.proofs.passkeys import PasskeyStatements, SqlPasskeys
from menshen.adapters.storage.sql.repositories.proofs.pending_logins import (
    PendingLoginStatements,
    SqlPendingLogins,
    SqlTrustedDevices,
    TrustedDeviceStatements,
)
from menshen.adapters.storage.sql.repositories.sessions import SessionStatements, SqlSessions
from menshen.adapters.storage.sql.repositories.traffic import SqlSenderDays, SqlTraffic, TrafficStatements
from menshen.adapters.storage.sql.repositories.upkeep import SqlUpkeep, UpkeepStatements
from menshen.adapters.storage.sql.statements.reader import Database
from menshen.ports.sealing import Sealer


class AllStatements:
    """Hold every statement of the repositories, as one database takes it."""

    def __init__(self, database: Database) -> None:
        """Read them all: a misspelt name fails here, when the store opens."""
        self.accounts = AccountStatements(database)
        self.sessions = SessionStatements(database)
        self.codes = CodeStatements(database)
        self.captchas = CaptchaStatements(database)
        self.counters = CounterStatements(database)
        self.devices = DeviceStatements(database)
        self.apps = AppStatements(database)
        self.app_pages = AppPagesStatements(database)
        self.outbox = OutboxStatements(database)
        self.audit = AuditStatements(database)
        self.traffic = TrafficStatements(database)
        self.imports = ImportStatements(database)
        self.hash_heads = HashHeadStatements(database)
        self.factors = FactorStatements(database)
        self.passkeys = PasskeyStatements(database)
        self.recovery_codes = RecoveryCodeStatements(database)
        self.pending_logins = PendingLoginStatements(database)
        self.trusted_devices = TrustedDeviceStatements(database)
        self.agreements = AgreementStatements(database)
        self.security_links = SecurityLinkStatements(database)
        self.export_tickets = ExportTicketStatements(database)
        self.upkeep = UpkeepStatements(database)


class SqlTx:
    """Implement `ReadTx` and `WriteTx` of `menshen.ports.store.store`. The store that hands it out decides which."""

    def __init__(self, run: Executor, statements: AllStatements, sealer: Sealer) -> None:
        """Bind the statements to a connection; `sealer` opens and seals what is stored sealed."""
        self._run = run
        self._st = statements
        self._sealer = sealer
        self.changes = Changes()

    @cached_property
    def accounts(self) -> SqlAccounts:
        return SqlAccounts(self._run, self._st.accounts, self.changes)

    @cached_property
    def sessions(self) -> SqlSessions:
        return SqlSessions(self._run, self._st.sessions, self.changes)

    @cached_property
    def codes(self) -> SqlCodes:
        return SqlCodes(self._run, self._st.codes)

    @cached_property
    def captchas(self) -> SqlCaptchas:
        return SqlCaptchas(self._run, self._st.captchas)

    @cached_property
    def counters(self) -> SqlCounters:
        return SqlCounters(self._run, self._st.counters)

    @cached_property
    def devices(self) -> SqlDevices:
        return SqlDevices(self._run, self._st.devices)

    @cached_property
    def apps(self) -> SqlApps:
        return SqlApps(self._run, self._st.apps, self._sealer, self.changes)

    @cached_property
    def app_pages(self) -> SqlAppPages:
        return SqlAppPages(self._run, self._st.app_pages, self.changes)

    @cached_property
    def outbox(self) -> SqlOutbox:
        return SqlOutbox(self._run, self._st.outbox, self._sealer, self.changes)

    @cached_property
    def sender_days(self) -> SqlSenderDays:
        return SqlSenderDays(self._run, self._st.traffic)

    @cached_property
    def audit(self) -> SqlAudit:
        return SqlAudit(self._run, self._st.audit, self.changes)

    @cached_property
    def traffic(self) -> SqlTraffic:
        return SqlTraffic(self._run, self._st.traffic)

    @cached_property
    def imports(self) -> SqlImports:
        return SqlImports(self._run, self._st.imports)

    @cached_property
    def hash_heads(self) -> SqlHashHeads:
        return SqlHashHeads(self._run, self._st.hash_heads)

    @cached_property
    def factors(self) -> SqlFactors:
        return SqlFactors(self._run, self._st.factors)

    @cached_property
    def passkeys(self) -> SqlPasskeys:
        return SqlPasskeys(self._run, self._st.passkeys)

    @cached_property
    def recovery_codes(self) -> SqlRecoveryCodes:
        return SqlRecoveryCodes(self._run, self._st.recovery_codes)

    @cached_property
    def pending_logins(self) -> SqlPendingLogins:
        return SqlPendingLogins(self._run, self._st.pending_logins)

    @cached_property
    def trusted_devices(self) -> SqlTrustedDevices:
        return SqlTrustedDevices(self._run, self._st.trusted_devices)

    @cached_property
    def agreements(self) -> SqlAgreements:
        return SqlAgreements(self._run, self._st.agreements)

    @cached_property
    def security_links(self) -> SqlSecurityLinks:
        return SqlSecurityLinks(self._run, self._st.security_links)

    @cached_property
    def export_tickets(self) -> SqlExportTickets:
        return SqlExportTickets(self._run, self._st.export_tickets)

    @cached_property
    def upkeep(self) -> SqlUpkeep:
        return SqlUpkeep(self._run, self._st.upkeep, self.changes)
