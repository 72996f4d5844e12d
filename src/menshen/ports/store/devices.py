"""Store the devices that an account has logged in from."""

from __future__ import annotations

from typing import Protocol

from menshen.core.time import Instant


class DeviceReader(Protocol):
    """Find devices."""

    async def known(self, account_number: int, device: bytes) -> bool:
        """Check if a login of this account has succeeded on the device with this digest."""
        ...


class Devices(DeviceReader, Protocol):
    """Change devices."""

    async def remember(self, account_number: int, device: bytes, now: Instant) -> None:
        """Note a login on a device. Beyond 50 devices of an account, the least recently used are deleted."""
        ...
