"""Judge the answers of passkeys. (WebAuthn Level 3 section 7; docs/contracts/factors.md section 6.)

The adapter's library is imported at the first use, so that a start without passkeys does not pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from menshen.core.factors.passkeys import Asserted, Attested, Passkey, Presented, Site


class PasskeyJudge(Protocol):
    """Judge registrations and signatures. No call raises, for any input: what it cannot read is wrong.

    It knows no store: the caller spends the challenge before, and compares the counter and the owner after.
    """

    async def get_ready(self) -> None:
        """Import the library, in a thread. Call it outside of transactions, before the two calls that judge."""
        ...

    def read(self, credential: Mapping[str, Any]) -> Presented | None:
        """Read what must be known before the signature is judged. Needs no library. None for what is no credential."""
        ...

    def attest(self, credential: Mapping[str, Any], *, challenge: bytes, site: Site) -> Attested | None:
        """Judge a registration: type, challenge, origin, RP id, flags, algorithm. None if it is wrong."""
        ...

    def verify(
        self, credential: Mapping[str, Any], *, challenge: bytes, site: Site, passkey: Passkey, verified_user: bool
    ) -> Asserted | None:
        """Judge a signature of `passkey`. None if it is wrong. With `verified_user`, the flag UV is required.

        BE must be as it was registered, and BS only with it. The counter is not compared here.
        """
        ...
