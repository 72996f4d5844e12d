"""Make the desk at which vendors push receipts, and count what they push."""

from __future__ import annotations

from menshen.app.settings.reader import Settings
from menshen.app.telemetry.metrics import SMS_RECEIPTS
from menshen.core.delivery.receipts import ReceiptOutcome
from menshen.core.keys import Keyring
from menshen.flows.delivery.receipts import ReceiptDesk
from menshen.ports.outward import Outward
from menshen.ports.receipts import ReceiptReader
from menshen.ports.store.store import Store


def desk_of(settings: Settings, outward: Outward, *, store: Store, keyring: Keyring) -> ReceiptDesk | None:
    """Return the desk for the senders that get receipts, None where the settings want none. It calls nobody."""
    if not settings.sms.receipts:
        return None
    built = {chosen.name: chosen.build(outward) for chosen in settings.sms.chosen}
    readers = {name: sender for name, sender in built.items() if isinstance(sender, ReceiptReader)}
    for name in readers:
        for outcome in ReceiptOutcome:
            # An alert sees the first one only as a change, so the series begins at 0.
            SMS_RECEIPTS.labels(name, outcome.value)
    return ReceiptDesk(readers, keyring=keyring, store=store, count=_count)


def _count(sender: str, outcome: ReceiptOutcome, how_many: int) -> None:
    SMS_RECEIPTS.labels(sender, outcome.value).inc(how_many)
