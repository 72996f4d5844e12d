"""Test what every `menshen.ports.store.store.Store` must do. A backend's own test module has ten lines:

    from menshen.testing.store_contract import StoreContract

    class TestMyStore(StoreContract):
        pass

    @pytest.fixture
    async def open_store(): ...     # yields an `OpenStore`: each call opens one more store on the test's own database
    @pytest.fixture
    def dump(): ...                 # a `Dump`: every byte that the database holds

The methods are coroutines (pytest-asyncio's mode "auto" runs them); `pytest.register_assert_rewrite
("menshen.testing")` before the import makes their failures show values.
"""

from __future__ import annotations

from menshen.testing.store_contract.accounts import AccountsContract
from menshen.testing.store_contract.captchas import CaptchasContract
from menshen.testing.store_contract.claims import ClaimsContract
from menshen.testing.store_contract.codes import CodesContract
from menshen.testing.store_contract.counters import CountersContract, TrafficContract
from menshen.testing.store_contract.directory import DirectoryContract
from menshen.testing.store_contract.epochs import EpochsContract
from menshen.testing.store_contract.hash_heads import HashHeadsContract
from menshen.testing.store_contract.imports import ImportsContract
from menshen.testing.store_contract.journal import JournalContract
from menshen.testing.store_contract.owner.agreements import AgreementsContract
from menshen.testing.store_contract.owner.closing import ClosingContract
from menshen.testing.store_contract.owner.events import OwnEventsContract
from menshen.testing.store_contract.owner.export_tickets import ExportTicketsContract
from menshen.testing.store_contract.owner.security_links import SecurityLinksContract
from menshen.testing.store_contract.pages.app_pages import AppPagesContract
from menshen.testing.store_contract.proofs.factors import FactorsContract, RecoveryCodesContract
from menshen.testing.store_contract.proofs.lives import FactorLivesContract
from menshen.testing.store_contract.proofs.passkeys import PasskeysContract
from menshen.testing.store_contract.proofs.pending_logins import PendingLoginsContract
from menshen.testing.store_contract.proofs.trusted_devices import TrustedDevicesContract
from menshen.testing.store_contract.racing import Dump, OpenStore
from menshen.testing.store_contract.sender_days import SenderDaysContract
from menshen.testing.store_contract.sessions.ends import SessionEndsContract
from menshen.testing.store_contract.sessions.opening import SessionsContract
from menshen.testing.store_contract.sessions.successors import SuccessorsContract
from menshen.testing.store_contract.transactions import TransactionsContract
from menshen.testing.store_contract.upkeep import UpkeepContract

__all__ = ["Dump", "OpenStore", "StoreContract"]


class StoreContract(
    AccountsContract,
    ClaimsContract,
    SessionsContract,
    SessionEndsContract,
    SuccessorsContract,
    CodesContract,
    CaptchasContract,
    CountersContract,
    DirectoryContract,
    AppPagesContract,
    JournalContract,
    TrafficContract,
    SenderDaysContract,
    HashHeadsContract,
    ImportsContract,
    TransactionsContract,
    UpkeepContract,
    EpochsContract,
    FactorsContract,
    RecoveryCodesContract,
    PasskeysContract,
    PendingLoginsContract,
    TrustedDevicesContract,
    FactorLivesContract,
    AgreementsContract,
    SecurityLinksContract,
    ExportTicketsContract,
    ClosingContract,
    OwnEventsContract,
):
    """Combine all contracts of a store."""
