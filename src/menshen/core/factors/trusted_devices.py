"""Define trusted devices, which replace the second step after a password. (docs/contracts/factors.md section 8.)"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from menshen.core.time import NEVER, Instant

MOST: Final = 20
"""Most trusted devices of an account. A further one takes the place of the oldest."""


@dataclass(frozen=True, slots=True)
class TrustedDevice:
    """Hold a device that its owner trusts. The token itself is not stored, and each use replaces it.

    `device` is the digest of its device id, b"" in a browser. `name` is how the owner's list shows it.
    """

    trust_id: str
    account_number: int
    app_id: int
    device: bytes = field(repr=False)
    name: str
    ip: str
    created_at: Instant
    expires_at: Instant
    used_at: Instant = NEVER
