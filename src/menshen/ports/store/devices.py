"""Devices an account has logged in from."""

from __future__ import annotations

from typing import Protocol

from menshen.core.time import Instant


class DeviceReader(Protocol):
    """Looking."""

    async def known(self, account_number: int, device: bytes) -> bool:
        """Whether a login of this account ever succeeded on the device with this digest."""
        ...


class Devices(DeviceReader, Protocol):
    """Changing."""

    async def remember(self, account_number: int, device: bytes, now: Instant) -> None:
        """Note a login on it; an account's least recently seen devices beyond 50 are forgotten."""
        ...
