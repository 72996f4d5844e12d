"""Define the database: reads of one statement each, and write transactions.

Work given to `write` awaits only methods of its transaction: never a hash, a message or a
network call. On SQLite it runs on the event loop without a break, and all others wait, so it must be short.
It may run again after a conflict, so it must have no effect outside of the transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from menshen.core.time import NEVER, Instant
from menshen.ports.store.accounts import AccountReader, Accounts
from menshen.ports.store.apps import AppReader, Apps
from menshen.ports.store.audit import Audit, AuditReader
from menshen.ports.store.captchas import Captchas
from menshen.ports.store.codes import CodeReader, Codes
from menshen.ports.store.counters import CounterReader, Counters
from menshen.ports.store.devices import DeviceReader, Devices
from menshen.ports.store.hash_costs import HashHeadReader, HashHeads
from menshen.ports.store.imports import ImportReader, Imports
from menshen.ports.store.outbox import Outbox, OutboxReader
from menshen.ports.store.owner.agreements import AgreementReader, Agreements
from menshen.ports.store.owner.export_tickets import ExportTicketReader, ExportTickets
from menshen.ports.store.owner.security_links import SecurityLinkReader, SecurityLinks
from menshen.ports.store.pages.app_pages import AppPages, AppPagesReader
from menshen.ports.store.proofs.factors import FactorReader, FactorRows
from menshen.ports.store.proofs.passkeys import PasskeyReader, Passkeys
from menshen.ports.store.proofs.pending_logins import PendingLoginReader, PendingLogins
from menshen.ports.store.proofs.recovery_codes import RecoveryCodeReader, RecoveryCodeRows
from menshen.ports.store.proofs.trusted_devices import TrustedDeviceReader, TrustedDevices
from menshen.ports.store.sender_days import SenderDayReader, SenderDays
from menshen.ports.store.sessions import SessionReader, Sessions
from menshen.ports.store.sms_traffic import SmsTraffic, TrafficReader

T = TypeVar("T")


class ReadTx(Protocol):
    """Give the repositories for reading. Each call sees the data committed when it began."""

    @property
    def accounts(self) -> AccountReader: ...
    @property
    def sessions(self) -> SessionReader: ...
    @property
    def codes(self) -> CodeReader: ...
    @property
    def counters(self) -> CounterReader: ...
    @property
    def devices(self) -> DeviceReader: ...
    @property
    def apps(self) -> AppReader: ...
    @property
    def app_pages(self) -> AppPagesReader: ...
    @property
    def outbox(self) -> OutboxReader: ...
    @property
    def sender_days(self) -> SenderDayReader: ...
    @property
    def audit(self) -> AuditReader: ...
    @property
    def traffic(self) -> TrafficReader: ...
    @property
    def imports(self) -> ImportReader: ...
    @property
    def hash_heads(self) -> HashHeadReader: ...
    @property
    def factors(self) -> FactorReader: ...
    @property
    def passkeys(self) -> PasskeyReader: ...
    @property
    def recovery_codes(self) -> RecoveryCodeReader: ...
    @property
    def pending_logins(self) -> PendingLoginReader: ...
    @property
    def trusted_devices(self) -> TrustedDeviceReader: ...
    @property
    def agreements(self) -> AgreementReader: ...
    @property
    def security_links(self) -> SecurityLinkReader: ...
    @property
    def export_tickets(self) -> ExportTicketReader: ...


class WriteTx(Protocol):
    """Give the repositories of one transaction. All of its changes become durable together, or none."""

    @property
    def accounts(self) -> Accounts: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def codes(self) -> Codes: ...
    @property
    def captchas(self) -> Captchas: ...
    @property
    def counters(self) -> Counters: ...
    @property
    def devices(self) -> Devices: ...
    @property
    def apps(self) -> Apps: ...
    @property
    def app_pages(self) -> AppPages: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def sender_days(self) -> SenderDays: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def traffic(self) -> SmsTraffic: ...
    @property
    def imports(self) -> Imports: ...
    @property
    def hash_heads(self) -> HashHeads: ...
    @property
    def factors(self) -> FactorRows: ...
    @property
    def passkeys(self) -> Passkeys: ...
    @property
    def recovery_codes(self) -> RecoveryCodeRows: ...
    @property
    def pending_logins(self) -> PendingLogins: ...
    @property
    def trusted_devices(self) -> TrustedDevices: ...
    @property
    def agreements(self) -> Agreements: ...
    @property
    def security_links(self) -> SecurityLinks: ...
    @property
    def export_tickets(self) -> ExportTickets: ...
    @property
    def upkeep(self) -> Upkeep: ...


class Upkeep(Protocol):
    """Delete expired rows, keep the mark of the time, raise the epoch, and clear away what an older one left."""

    async def sweep(self, now: Instant, *, audit_days: int, batch: int) -> int:
        """Delete at most `batch` rows of each kind that have no effect any more. Return their number.

        It also clears the sealed pairs of sessions whose time to ask again is over, and enrolments that were begun and
        not confirmed. They count, too.
        """
        ...

    async def clock(self) -> tuple[Instant, Instant]:
        """Return the mark, and the instant of the database's own clock. NEVER: there is none."""
        ...

    async def mark_clock(self, at: Instant) -> None:
        """Note that it is `at` or later. The mark only grows."""
        ...

    async def set_clock(self, at: Instant) -> None:
        """Note that it is `at`, as an operator says. The mark may become lower."""
        ...

    async def raise_epoch(self, now: Instant = NEVER) -> int:
        """End all sessions, codes, captchas and unsent codes issued so far, atomically. Return the new epoch.

        Pending logins, trusted devices, links of notices and tickets of exports end, too. What proves people stays, and
        so do agreements.
        It writes one row: the number of the epoch is compared when something is used. Challenges are in no row: those
        that are alive at `now` end.
        """
        ...

    async def clear_epochs(self, *, batch: int) -> int | None:
        """Delete the next rows that an older epoch left, and return their number. None: there are no more.

        Look at `batch` rows of a kind at most. The place is kept in the same transaction, for any process that goes on.
        """
        ...


class Store(Protocol):
    """Read and write the database. Raises `Problem(UNAVAILABLE)` when it cannot be reached or written."""

    @property
    def read(self) -> ReadTx: ...

    async def write(self, work: Callable[[WriteTx], Awaitable[T]]) -> T:
        """Run `work` in one transaction and return its result. Its changes are then durable.

        An exception in `work` rolls the transaction back and is raised here.
        """
        ...

    async def ready(self) -> bool:
        """Check if the database takes writes now."""
        ...

    async def close(self) -> None: ...
