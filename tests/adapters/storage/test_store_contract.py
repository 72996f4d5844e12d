"""The suite itself: it asks every verb of every port, and a store that breaks a promise does not pass it."""

from __future__ import annotations

import inspect
import re
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import menshen.testing.store_contract as suite
from menshen.adapters.storage.sql.engines.sqlite import SqliteStore
from menshen.adapters.storage.sql.repositories.accounts import SqlAccounts
from menshen.adapters.storage.sql.repositories.captchas import SqlCaptchas
from menshen.adapters.storage.sql.repositories.codes import SqlCodes
from menshen.adapters.storage.sql.repositories.counters import SqlCounters
from menshen.adapters.storage.sql.repositories.owner.export_tickets import SqlExportTickets
from menshen.adapters.storage.sql.repositories.owner.security_links import SqlSecurityLinks
from menshen.adapters.storage.sql.repositories.proofs.factors import SqlFactors, SqlRecoveryCodes
from menshen.adapters.storage.sql.repositories.proofs.passkeys import SqlPasskeys
from menshen.adapters.storage.sql.repositories.proofs.pending_logins import SqlPendingLogins, SqlTrustedDevices
from menshen.adapters.storage.sql.repositories.sessions import SqlSessions
from menshen.adapters.storage.sql.repositories.traffic import SqlSenderDays
from menshen.adapters.storage.sql.repositories.upkeep import SqlUpkeep
from menshen.core.account.accounts import Account
from menshen.core.account.export_tickets import ExportTicket
from menshen.core.account.security_links import SecurityLink
from menshen.core.codes.one_time_codes import CodeKey, Taken
from menshen.core.delivery.senders import SenderDay, SenderTerms
from menshen.core.factors.passkeys import Passkey
from menshen.core.factors.pending import PendingLogin
from menshen.core.factors.trusted_devices import TrustedDevice
from menshen.core.gates.limits import Claim, Count, Hit
from menshen.core.time import NEVER, Instant
from menshen.ports.store.store import ReadTx, WriteTx
from menshen.testing.store_contract import OpenStore, StoreContract
from tests.adapters.storage.sealer import SEALER
from tests.patience import LONG

SOURCES = "\n".join(file.read_text("utf-8") for file in Path(suite.__file__).parent.rglob("*.py"))


def verbs() -> list[tuple[str, str]]:
    """(repository, verb) of both kinds of transaction."""
    found = set()
    for tx in (ReadTx, WriteTx):
        for name, member in vars(tx).items():
            if isinstance(member, property):
                port = getattr(sys.modules[tx.__module__], inspect.signature(member.fget).return_annotation)  # type: ignore[arg-type]
                found |= {(name, verb) for verb in dir(port) if not verb.startswith("_")}
    return sorted(found)


@pytest.mark.parametrize(("repository", "verb"), verbs())
def test_every_verb_is_asked(repository: str, verb: str) -> None:
    assert re.search(rf"\b(?:{repository}|read)\.{verb}\(", SOURCES), f"nobody asks {repository}.{verb}"


@pytest.fixture
async def open_store(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[OpenStore]:
    path = Path(shutil.copy(sqlite_template, tmp_path))
    opened: list[SqliteStore] = []

    async def open_one() -> SqliteStore:
        opened.append(SqliteStore(path, SEALER, LONG))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


# --- breaches, each as somebody might write it ------------------------------------------------------------------------


async def take_does_not_spend(
    self: SqlCodes, key: CodeKey, macs: Sequence[bytes], now: Instant, *, by: bytes = b"", asker: bytes = b""
) -> Taken:
    return Taken.MATCHED if await self.find(key, now, asker=asker) else Taken.DEAD


async def hit_forgets_windows(self: SqlCounters, hits: Sequence[Hit], now: Instant) -> Sequence[Count]:
    return [Count(await self.peek(hit.key, now) + 1, now, hit.window) for hit in hits]


async def charge_charges_at_once(self: SqlCounters, claims: Sequence[Claim], now: Instant) -> int | None:
    waits = []
    for claim in claims:
        recent = {"key": claim.key, "after": now - claim.window, "latest": now}
        row = await self._run.one(self._st.uses_since, recent)
        if row and row[0] >= claim.most:
            waits.append(60)
        await self._run.run(self._st.use, {"key": claim.key, "at": now, "expires_at": now + claim.window})
    return max(waits, default=None)


async def rotate_remembers_nothing(self: SqlSessions, *args: Any, **_: Any) -> bool:
    values = dict(zip(("token", "refresh", "new_token", "new_refresh"), args[:4], strict=True))
    session = args[4]
    times = {"seen_at": session.seen_at, "expires_at": session.expires_at, "ends_at": session.ends_at}
    counted = {"refreshes": session.refreshes, "refresh_paid_until": session.refresh_paid_until}
    values |= times | counted | {"refresh_expires_at": session.refresh_expires_at}
    values |= {"successor": None, "successor_until": 0}
    return await self._run.one(self._st.rotate, values) is not None


async def each_retry_is_the_first(self: SqlSessions, token: bytes, paid_until: Instant) -> bool:
    return await self.find(token) is not None


async def end_all_spares_nobody(self: SqlSessions, account_number: int, **_: Any) -> Sequence[str]:
    values = {"account_number": account_number, "except_id": ""}
    return [row[0] for row in await self._run.all(self._st.end_all, values)]


async def nonces_come_back(self: SqlCaptchas, nonce: str, expires_at: Instant) -> bool:
    return True


async def versions_do_not_matter(self: SqlAccounts, number: int, password_hash: str, **given: Any) -> bool:
    values = {"number": number, "password_hash": password_hash, "now": given["now"], "version": -1}
    return await self._run.run(self._st.set_password, values) == 1


_charge_sender = SqlSenderDays.charge


async def senders_have_no_limits(self: SqlSenderDays, terms: SenderTerms, day: int) -> SenderDay | None:
    return await _charge_sender(self, SenderTerms(terms.name, cost_micros=terms.cost_micros), day)


async def epochs_stand_still(self: SqlUpkeep, now: Instant = NEVER) -> int:
    return 1


async def steps_are_good_again(self: SqlFactors, number: int, kind: str, sealed: bytes, **given: Any) -> bool:
    stored = await self.find(number, kind)
    return stored is not None and stored.counter <= given["counter"]


_confirm = SqlFactors.confirm


async def any_enrolment_is_confirmed(self: SqlFactors, number: int, kind: str, begun: bytes, **given: Any) -> bool:
    stored = await self.find(number, kind)
    return await _confirm(self, number, kind, stored.begun if stored else b"", **given)


async def codes_are_good_for_all(self: SqlRecoveryCodes, number: int, mac: bytes, now: Instant) -> bool:
    return await self.left(number) > 0


_use_passkey = SqlPasskeys.use


async def counters_are_not_compared(self: SqlPasskeys, passkey: Passkey, **given: Any) -> bool:
    present = await self.find(passkey.credential)
    return present is not None and await _use_passkey(self, present, **given)


async def links_stay(self: SqlSecurityLinks, digest: bytes, now: Instant) -> SecurityLink | None:
    found = await self.find(digest)
    return replace(found, used_at=now) if found else None


_fetch = SqlExportTickets.fetch


async def fetches_have_no_end(
    self: SqlExportTickets, ticket_id: str, number: int, now: Instant, *, most: int
) -> ExportTicket | None:
    return await _fetch(self, ticket_id, number, now, most=2**31)


async def tickets_stay(self: SqlPendingLogins, ticket: bytes, now: Instant) -> PendingLogin | None:
    return await self.find(ticket)


_count_step = SqlPendingLogins.count_step


async def tries_have_no_end(self: SqlPendingLogins, ticket: bytes, now: Instant, *, most: int) -> int | None:
    return await _count_step(self, ticket, now, most=2**31)


async def trust_tokens_stay(
    self: SqlTrustedDevices, token: bytes, new_token: bytes, *, account_number: int, now: Instant, **_: Any
) -> TrustedDevice | None:
    devices = await self.list_of(account_number, now)
    return devices[0] if devices else None


_record_login = SqlAccounts.record_login


async def judgements_do_not_matter(self: SqlAccounts, number: int, **given: Any) -> Account | None:
    return await _record_login(self, number, **given | {"judged": None})


@pytest.mark.parametrize(
    ("where", "verb", "breach", "told_by"),
    [
        (SqlCodes, "take", take_does_not_spend, "test_of_racers_with_the_right_code_one_matches"),
        (SqlCodes, "take", take_does_not_spend, "test_the_right_code_matches_once"),
        (SqlCodes, "verify", take_does_not_spend, "test_what_is_told_wrong_is_not_verified"),
        (SqlCounters, "hit", hit_forgets_windows, "test_no_two_racers_get_the_same_count"),
        (SqlCounters, "charge", charge_charges_at_once, "test_racers_never_exceed_a_quota_together"),
        (SqlSessions, "rotate", rotate_remembers_nothing, "test_of_racers_with_one_pair_one_rotates_it"),
        (SqlSessions, "retry", each_retry_is_the_first, "test_the_first_retry_of_each_pair_is_noted"),
        (SqlSessions, "end_all", end_all_spares_nobody, "test_all_end_but_the_one_spared"),
        (SqlCaptchas, "spend_nonce", nonces_come_back, "test_of_racers_with_one_challenge_one_spends_it"),
        (SqlAccounts, "set_password", versions_do_not_matter, "test_a_password_change_is_compared_and_set"),
        (SqlSenderDays, "charge", senders_have_no_limits, "test_racers_never_exceed_a_number_of_messages_together"),
        (SqlSenderDays, "charge", senders_have_no_limits, "test_racers_never_exceed_a_sum_of_money_together"),
        (SqlUpkeep, "raise_epoch", epochs_stand_still, "test_an_epoch_kills_everything_issued_before"),
        (SqlUpkeep, "raise_epoch", epochs_stand_still, "test_an_epoch_ends_tickets_and_trust_and_keeps_factors"),
        (SqlFactors, "advance", steps_are_good_again, "test_of_racers_with_one_counter_one_advances"),
        (SqlFactors, "confirm", any_enrolment_is_confirmed, "test_of_racers_that_begin_and_confirm_one_secret_stands"),
        (SqlRecoveryCodes, "spend", codes_are_good_for_all, "test_of_racers_with_one_recovery_code_one_spends_it"),
        (SqlRecoveryCodes, "spend", codes_are_good_for_all, "test_a_code_of_another_account_stays_unused"),
        (SqlPasskeys, "use", counters_are_not_compared, "test_of_racers_that_read_one_counter_one_uses_it"),
        (SqlPendingLogins, "take", tickets_stay, "test_of_racers_with_one_ticket_one_takes_it"),
        (SqlPendingLogins, "count_step", tries_have_no_end, "test_a_ticket_has_five_tries_whoever_races"),
        (SqlTrustedDevices, "use", trust_tokens_stay, "test_of_racers_with_one_trust_token_one_uses_it"),
        (SqlSecurityLinks, "burn", links_stay, "test_of_racers_with_one_link_one_burns_it"),
        (SqlExportTickets, "fetch", fetches_have_no_end, "test_of_racers_with_one_ticket_so_many_fetch"),
        (SqlAccounts, "record_login", judgements_do_not_matter, "test_a_login_is_recorded_only_as_it_was_judged"),
        (
            SqlAccounts,
            "record_login",
            judgements_do_not_matter,
            "test_no_login_slips_past_a_second_step_that_is_turned_on",
        ),
    ],
)
async def test_a_broken_promise_is_told(
    open_store: OpenStore,
    monkeypatch: pytest.MonkeyPatch,
    where: type,
    verb: str,
    breach: Callable[..., Awaitable[Any]],
    told_by: str,
) -> None:
    # Patched: the suite is seen failing on the real store with one broken verb.
    monkeypatch.setattr(where, verb, breach)
    with pytest.raises(AssertionError):
        await getattr(StoreContract(), told_by)(open_store)
