"""Store trusted devices, by the digests of their tokens. An epoch ends them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.factors.trusted_devices import TrustedDevice
from menshen.core.time import Instant


class TrustedDeviceReader(Protocol):
    """Find trusted devices."""

    async def list_of(self, account_number: int, now: Instant) -> Sequence[TrustedDevice]:
        """Return the account's trusted devices that have not expired, the newest first."""
        ...


class TrustedDevices(TrustedDeviceReader, Protocol):
    """Change trusted devices."""

    async def add(self, device: TrustedDevice, token: bytes, *, most: int) -> None:
        """Store a device. Of the account's live others, the oldest end until `most` remain.

        Lock the account before: else two of these, at once, exceed `most`.
        """
        ...

    async def use(
        self, token: bytes, new_token: bytes, *, account_number: int, app_id: int, device: bytes, now: Instant
    ) -> TrustedDevice | None:
        """Replace the token of a device, and remember the old one as spent. Return the device.

        None: no live device of this account, app and device id has this token. Of all callers with one token, exactly
        one gets the device.
        """
        ...

    async def revoke_spent(self, token: bytes) -> tuple[str, int] | None:
        """End the device whose spent token came again. Return its id and account number, None if there is none."""
        ...

    async def end(self, trust_id: str, account_number: int) -> bool:
        """End one device of the account. Return false if there is none."""
        ...

    async def end_all(self, account_number: int) -> int:
        """End all devices of an account. Return how many there were, dead ones too."""
        ...
