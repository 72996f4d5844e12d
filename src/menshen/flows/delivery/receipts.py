"""Take the receipts that vendors push, and note what they say in the rows of their messages.

A receipt changes one word of one row, once. It sends nothing, and it opens nothing.
(docs/contracts/vendors.md section 3, "Receipts"; decision 0069.)
"""

from __future__ import annotations

import hmac
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from menshen.core.delivery.receipts import PushAnswer, PushRefusal, ReceiptOutcome, outcome_text
from menshen.core.keys import Keyring
from menshen.ports.receipts import Push, Pushed, Receipt, ReceiptReader, Unsigned
from menshen.ports.store.store import Store, WriteTx

MOST_RECEIPTS: Final = 500
"""Receipts of one push that are looked at. No vendor puts as many into 64 KiB."""

MOST_IN_ONE: Final = 50
"""Receipts that one transaction notes. Others must not wait for a long one."""

PUSHES_AT_ONCE: Final = 4
"""Pushes of one sender that one worker takes at the same time."""

_NAMES_A_MESSAGE: Final = re.compile(r"[!-~]{1,128}", re.ASCII)

Count = Callable[[str, ReceiptOutcome, int], None]
"""(sender, outcome, how many): for those who count. It returns at once."""


class ReceiptDesk:
    """Take pushes for the senders that get receipts."""

    def __init__(self, readers: Mapping[str, ReceiptReader], *, keyring: Keyring, store: Store, count: Count) -> None:
        """Take the senders by name, and compute the secrets of their addresses once."""
        self._readers = dict(readers)
        self._secrets = {name: keyring.receipt_secret(name).encode() for name in self._readers}
        # No sender has this name. Its secret stands for that of a sender that does not exist.
        self._other = keyring.receipt_secret("").encode()
        self._store = store
        self._count = count
        self._under_way: Counter[str] = Counter()

    def admits(self, sender: str, secret: str) -> bool:
        """Tell whether `secret` is that of the address of `sender`. An unknown sender costs the same comparison."""
        wanted = self._secrets.get(sender, self._other)
        same = hmac.compare_digest(secret.encode("utf-8", "surrogatepass"), wanted)
        return same and sender in self._readers

    async def take(self, sender: str, url: str, headers: Mapping[str, str], body: bytes) -> PushAnswer | PushRefusal:
        """Note the receipts of one push. `sender` was admitted; `url` is the public address that its vendor called.

        Raises:
            Problem: the database takes no changes now. Receipts before that are noted; the vendor repeats all.
        """
        if self._under_way[sender] >= PUSHES_AT_ONCE:
            self._count(sender, ReceiptOutcome.REFUSED, 1)
            return PushRefusal.BUSY
        pushed = _read(self._readers[sender], Push(url, headers, body))
        if not isinstance(pushed, Pushed):
            self._count(sender, ReceiptOutcome.REFUSED, 1)
            return PushRefusal.UNSIGNED if isinstance(pushed, Unsigned) else PushRefusal.UNREADABLE
        self._under_way[sender] += 1
        try:
            noted = await note_receipts(sender, pushed.receipts, store=self._store)
        finally:
            self._under_way[sender] -= 1
        for outcome, how_many in noted.items():
            self._count(sender, outcome, how_many)
        return PushAnswer(pushed.answer, pushed.content_type)


def _read(reader: ReceiptReader, push: Push) -> Pushed | Unsigned | None:
    """Read a push. A reader that raises, against its word, has read nothing."""
    try:
        return reader.read_push(push)
    except Exception:  # noqa: BLE001 - what a stranger pushes must not end in a fault
        return None


async def note_receipts(sender: str, receipts: Sequence[Receipt], *, store: Store) -> Mapping[ReceiptOutcome, int]:
    """Note what receipts say in the rows of their messages. Return how many were noted or belong to no message.

    Each is matched by the name of the sender and the vendor's number. The first word on a message stays: a receipt that
    comes again changes nothing, and is not counted. Raises as `Store.write`.
    """
    noted: Counter[ReceiptOutcome] = Counter()
    kept = receipts[:MOST_RECEIPTS]
    for start in range(0, len(kept), MOST_IN_ONE):
        noted += await _note_some(sender, kept[start : start + MOST_IN_ONE], store)
    return noted


async def _note_some(sender: str, receipts: Sequence[Receipt], store: Store) -> Counter[ReceiptOutcome]:
    # Two pushes at once must lock their rows in one order. Of two words on one message the first stays in front.
    ordered = sorted(receipts, key=lambda receipt: receipt.receipt)

    async def work(tx: WriteTx) -> Counter[ReceiptOutcome]:
        noted: Counter[ReceiptOutcome] = Counter()
        for receipt in ordered:
            if (outcome := await _note(tx, sender, receipt)) is not None:
                noted[outcome] += 1
        return noted

    return await store.write(work)


async def _note(tx: WriteTx, sender: str, receipt: Receipt) -> ReceiptOutcome | None:
    """Note one receipt. Return what became of it, None for one that came before."""
    number = receipt.receipt
    # The database does not even take every text that JSON can hold.
    if not _NAMES_A_MESSAGE.fullmatch(number):
        return ReceiptOutcome.UNMATCHED
    text = outcome_text(delivered=receipt.delivered, code=receipt.code)
    if await tx.outbox.note_outcome(sender, number, text):
        return ReceiptOutcome.DELIVERED if receipt.delivered else ReceiptOutcome.FAILED
    return None if await tx.outbox.find_receipt(sender, number) else ReceiptOutcome.UNMATCHED
