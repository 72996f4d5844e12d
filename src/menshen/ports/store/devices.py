"""Store the devices that an account has logged in from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from menshen.core.sessions.devices import SeenDevice
from menshen.core.time import Instant


class DeviceReader(Protocol):
    """Find devices."""

    async def known(self, account_number: int, device: bytes) -> bool:
        """Check if a login of this account has succeeded on the device with this digest."""
        ...

    async def list_of(self, account_number: int) -> Sequence[SeenDevice]:
        """Return when each known device of an account was seen, the last seen first, at most 50."""
        ...


class Devices(DeviceReader, Protocol):
    """Change devices."""

    async def remember(self, account_number: int, device: bytes, now: Instant) -> None:
        """Note a login on a device. Beyond 50 devices of an account, the least recently used are deleted."""
        ...

    async def forget_all(self, account_number: int) -> None:
        """Delete all known devices of an account."""
        ...
